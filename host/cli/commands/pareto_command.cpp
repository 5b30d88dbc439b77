// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `pareto`: its options and its table.
#include <fmt/format.h>

#include <memory>
#include <numeric>

#include "host/cli/commands/commands.hpp"
#include "host/cli/formula_note.hpp"
#include "host/cli/numbers.hpp"
#include "host/cli/text_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/pareto.hpp"
#include "tonnage/io/pareto_io.hpp"

namespace tonnage::cli {
namespace {

constexpr std::size_t kRowsShown = 40;

struct ParetoArguments {
  std::string input, output;
  std::string server, batches, replicas;
  std::string ttft = "average", format = "table", backend = "auto";
  double within_percent = 1;
  bool ignore_targets = false, all = false;
};

GridColumn ttft_column(const std::string& name) {
  if (name == "p50") return GridColumn::kTtftP50;
  if (name == "p90") return GridColumn::kTtftP90;
  if (name == "p95") return GridColumn::kTtftP95;
  if (name == "p99") return GridColumn::kTtftP99;
  return GridColumn::kTtft;
}

std::string to_table(const Problem& problem, const std::vector<ParetoFrontier>& frontiers,
                     const ParetoArguments& a, bool colored) {
  using enum Align;
  std::string text;
  for (const ParetoFrontier& frontier : frontiers) {
    TextTable table({{"accelerator"},
                     {"batch", kRight},
                     {"replicas", kRight},
                     {"$/hour", kRight},
                     {a.ttft == "average" ? "TTFT ms" : fmt::format("TTFT {} ms", a.ttft), kRight},
                     {"ITL ms", kRight},
                     {"rho", kRight},
                     {"targets"}});
    const std::size_t shown =
        a.all ? frontier.points.size() : std::min(kRowsShown, frontier.points.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const ParetoPoint& p = frontier.points[i];
      const PerfRow& perf = problem.perfs[problem.lines[p.line].perf];
      const bool holds = p.verdict == Verdict::kFeasible;
      table.add({problem.accelerators[perf.accelerator].name(), std::to_string(p.batch),
                 std::to_string(p.replicas), dollars(p.cost), milliseconds(p.ttft_ms),
                 milliseconds(p.itl_ms), fmt::format("{:.2f}", p.rho),
                 holds ? "hold" : fmt::format("{} missed", to_string(p.verdict))},
                !holds);
    }
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n",
                        bold(printable(problem.server_names[frontier.server]), colored));
    text += frontier.points.empty() ? "no candidate holds the targets\n" : table.to_string(colored);
    if (shown < frontier.points.size()) {
      text += fmt::format("... and {} more (--all shows them)\n", frontier.points.size() - shown);
    }
  }
  return text;
}

ExitCode pareto(const ParetoArguments& a, const Environment& environment) {
  ParetoOptions options;
  options.batches = parse_range("--batches", a.batches);
  options.replicas = parse_range("--replicas", a.replicas);
  options.ttft = ttft_column(a.ttft);
  options.ignore_targets = a.ignore_targets;
  options.tolerance = a.within_percent / 100;
  options.num_threads = environment.num_threads;
  options.progress = environment.progress();
  const System system(environment.read_fleet(a.input));
  expect_name(a.server, "server", system.servers());
  const Problem problem = build_problem(system);
  std::vector<std::int64_t> servers;
  for (std::size_t s = 0; s < problem.server_names.size(); ++s) {
    if (a.server.empty() || problem.server_names[s] == a.server) {
      servers.push_back(static_cast<std::int64_t>(s));
    }
  }
  const std::vector<ParetoFrontier> frontiers =
      pareto_frontiers(*select_backend(a.backend), problem, servers, options);
  std::string text;
  if (a.format == "json") {
    text = pareto_to_json(problem, frontiers);
  } else if (a.format == "csv") {
    text = pareto_to_csv(problem, frontiers);
    note_formulas(system, environment);
  } else {
    text = to_table(problem, frontiers, a, a.output.empty() && environment.colored());
  }
  environment.write(text, a.output);
  return kSuccess;
}

}  // namespace

void add_pareto(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<ParetoArguments>();
  CLI::App* command = app.add_subcommand(
      "pareto", "Frontiers of cost, TTFT and ITL: the candidates that no other beats");
  add_input(*command, a->input);
  command->add_option("--server", a->server, "Only this server")->check(non_empty());
  command->add_option("--ttft", a->ttft, "Which TTFT: the average or a percentile")
      ->check(one_of({"average", "p50", "p90", "p95", "p99"}))
      ->capture_default_str();
  command->add_flag("--ignore-targets", a->ignore_targets, "Include candidates that miss targets");
  add_number(*command, "--within", a->within_percent, 0, 100,
             "Least improvement in TTFT or ITL over cheaper points, in percent");
  command->add_option("--batches", a->batches, "FIRST:LAST[:STEP]; default: all")
      ->check(non_empty());
  command
      ->add_option("--replicas", a->replicas,
                   "FIRST:LAST[:STEP]; default: from the server's minimum to what the least "
                   "batch size needs, at most 256")
      ->check(non_empty());
  command->add_option("--backend", a->backend, "What evaluates the candidates; see backends")
      ->envname("TONNAGE_BACKEND")
      ->capture_default_str();
  add_format(*command, a->format, {"table", "json", "csv"});
  add_output(*command, a->output);
  command->add_flag("--all", a->all, "Show every row of the table");
  command->footer(
      "Examples:\n"
      "  tonnage pareto fleet.json --server chat-1\n"
      "  tonnage pareto fleet.json --server chat-1 --ttft p95 --ignore-targets");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return pareto(*a, environment); }; });
}

}  // namespace tonnage::cli
