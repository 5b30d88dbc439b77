// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The commands `verify`, `diff` and `validate`: their options, tables and exit codes.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "host/cli/commands/commands.hpp"
#include "host/cli/plan_table.hpp"
#include "host/cli/text_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/host/plan_diff.hpp"
#include "tonnage/host/verify.hpp"
#include "tonnage/io/plan_io.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::cli {
namespace {

struct TwoFiles {
  std::string first, second, output, format = "table";
};

PlanClaims read_claims(const Environment& environment, const std::string& path) {
  PlanReadResult read = read_plan(path);
  environment.check(read.diagnostics);
  return std::move(read.claims);
}

void refuse_two_stdin(const TwoFiles& a) {
  if (a.first == "-" && a.second == "-") {
    throw Exit{kBadInput, "only one of the two inputs can be standard input"};
  }
}

// How many bounds of a valid plan were recomputed.
std::string bounds_text(const PlanClaims& claims) {
  if (!claims.summary || claims.summary->stages.empty()) return "";
  const std::vector<StageClaims>& stages = claims.summary->stages;
  const auto searched = std::count_if(stages.begin(), stages.end(),
                                      [](const StageClaims& s) { return s.rests_on_search(); });
  return fmt::format(", {} of {} recomputed from their prices{}", std::ssize(stages) - searched,
                     counted(std::ssize(stages), "bound"),
                     searched > 0 ? " (the others rest on searches)" : "");
}

ExitCode verify(const TwoFiles& a, const Environment& environment) {
  refuse_two_stdin(a);
  const PlanClaims claims = read_claims(environment, a.first);
  const SystemSpec spec = environment.read_fleet(a.second);
  const std::vector<Violation> violations = verify_plan(System(spec), spec.optimizer, claims);
  if (a.format == "json") {
    environment.write(violations_to_json(violations), a.output);
    return violations.empty() ? kSuccess : kIncomplete;
  }
  if (violations.empty()) {
    environment.write(
        fmt::format("the plan holds: {} checked{}\n",
                    counted(std::ssize(claims.allocations), "allocation"), bounds_text(claims)),
        a.output);
    return kSuccess;
  }
  TextTable table({{"server"}, {"violation"}, {"what is wrong"}});
  for (const Violation& v : violations) {
    table.add({v.server.empty() ? "(plan)" : v.server, v.kind, v.message});
  }
  environment.write(table.to_string(a.output.empty() && environment.colored()) +
                        counted(std::ssize(violations), "violation") + "\n",
                    a.output);
  return kIncomplete;
}

ExitCode diff(const TwoFiles& a, const Environment& environment) {
  refuse_two_stdin(a);
  const PlanClaims before = read_claims(environment, a.first);
  const PlanClaims after = read_claims(environment, a.second);
  const std::vector<PlanChange> changes = diff_plans(before, after);
  if (a.format == "json") {
    environment.write(diff_to_json(changes), a.output);
    return kSuccess;
  }
  using enum Align;
  TextTable table({{"server"}, {"change"}, {"from"}, {"to"}, {"$/hour", kRight}});
  double total = 0;
  const auto allocation = [](const std::vector<AllocationPart>& parts,
                             const std::string& accelerator, std::int64_t replicas,
                             std::int64_t batch) {
    if (accelerator.empty()) return std::string("nothing");
    if (!parts.empty()) return parts_text(parts);
    return fmt::format("{} x {}, batch {}", replicas, accelerator, batch);
  };
  for (const PlanChange& c : changes) {
    total += c.cost_difference;
    table.add({c.server, std::string(to_string(c.kind)),
               allocation(c.old_parts, c.old_accelerator, c.old_num_replicas, c.old_max_batch),
               allocation(c.new_parts, c.new_accelerator, c.new_num_replicas, c.new_max_batch),
               fmt::format("{:+.2f}", c.cost_difference / 100)});
  }
  const bool colored = a.output.empty() && environment.colored();
  environment.write((table.empty() ? "" : table.to_string(colored)) +
                        fmt::format("{} changed, {:+.2f} $/hour\n",
                                    counted(std::ssize(changes), "server"), total / 100),
                    a.output);
  return kSuccess;
}

ExitCode validate(const TwoFiles& a, const Environment& environment) {
  const SpecReadResult read = read_system(a.first);
  const Diagnostics& d = read.diagnostics;
  if (a.format == "json") {
    environment.write(d.to_json(), a.output);
  } else {
    const std::string name = a.first == "-" ? "standard input" : a.first;
    const auto count = [](std::size_t n, const char* noun) {
      return counted(static_cast<std::int64_t>(n), noun);
    };
    environment.write(
        d.to_text() + fmt::format("{}: {}, {}\n", printable(name), count(d.num_errors(), "error"),
                                  count(d.num_warnings(), "warning")),
        a.output);
  }
  return d.has_errors() ? kBadInput : kSuccess;
}

}  // namespace

void add_verify(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<TwoFiles>();
  CLI::App* command = app.add_subcommand(
      "verify", "Check a plan, whoever made it, against a fleet: capacity, targets, costs, claims");
  command->add_option("PLAN", a->first, "The plan (JSON), or - for standard input")
      ->required()
      ->check(non_empty());
  add_input(*command, a->second);
  add_format(*command, a->format, {"table", "json"});
  add_output(*command, a->output);
  command->footer(
      "Exit code 3: the plan has violations.\n\n"
      "Example:\n"
      "  tonnage plan fleet.json --format json | tonnage verify - fleet.json");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return verify(*a, environment); }; });
}

void add_diff(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<TwoFiles>();
  CLI::App* command = app.add_subcommand("diff", "What changes between two plans");
  command->add_option("OLD", a->first, "The old plan (JSON), or - for standard input")
      ->required()
      ->check(non_empty());
  command->add_option("NEW", a->second, "The new plan (JSON), or - for standard input")
      ->required()
      ->check(non_empty());
  add_format(*command, a->format, {"table", "json"});
  add_output(*command, a->output);
  command->footer("Example:\n  tonnage diff monday.json tuesday.json");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return diff(*a, environment); }; });
}

void add_validate(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<TwoFiles>();
  CLI::App* command =
      app.add_subcommand("validate", "Report every problem of a fleet's files, and nothing else");
  add_input(*command, a->first);
  add_format(*command, a->format, {"table", "json"});
  add_output(*command, a->output);
  command->footer(
      "Exit code 2: the input has errors; warnings alone leave it 0.\n\n"
      "Example:\n"
      "  tonnage validate fleet.json --format json");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return validate(*a, environment); }; });
}

}  // namespace tonnage::cli
