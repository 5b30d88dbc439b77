// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The commands `candidates` and `backends`: their options and their tables. The grid of candidates
// is written by host/cli/grid_output.cpp.
#include <fmt/format.h>

#include <memory>

#include "host/cli/commands/commands.hpp"
#include "host/cli/formula_note.hpp"
#include "host/cli/grid_output.hpp"
#include "host/cli/text_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage::cli {
namespace {

struct CandidatesArguments {
  std::string input, output;
  std::string format, batch = "max", backend = "auto";
  CandidateQuery query;
  bool grid = false;
  GridArguments grid_arguments;
};

std::string to_table(const std::vector<Candidate>& candidates, bool colored) {
  using enum Align;
  TextTable table({{"server"},
                   {"accelerator"},
                   {"replicas", kRight},
                   {"batch", kRight},
                   {"$/hour", kRight},
                   {"value", kRight},
                   {"ITL ms", kRight},
                   {"TTFT ms", kRight},
                   {"max req/min", kRight},
                   {"why not"}});
  for (const Candidate& c : candidates) {
    if (!c.feasible()) {
      table.add({c.server, c.accelerator, "-", "-", "-", "-", "-", "-", "-", c.detail}, true);
      continue;
    }
    const std::string accelerator = c.accelerator.empty() ? "(none)" : c.accelerator;
    table.add({c.server, accelerator, std::to_string(c.allocation.num_replicas),
               std::to_string(c.allocation.max_batch), dollars(c.allocation.cost_cents_per_hour),
               dollars(c.value), milliseconds(c.metrics.itl_ms), milliseconds(c.metrics.ttft_ms),
               fmt::format("{:.5g}", c.metrics.max_rate_per_replica_per_ms * kMsPerMinute), ""});
  }
  return table.to_string(colored);
}

ExitCode list(const CandidatesArguments& a, const Environment& environment) {
  const SystemSpec spec = environment.read_fleet(a.input);
  const System system(spec);
  expect_name(a.query.server, "server", system.servers());
  expect_name(a.query.accelerator, "accelerator", system.accelerators());
  if (a.grid) {
    GridArguments grid = a.grid_arguments;
    grid.server = a.query.server;
    grid.accelerator = a.query.accelerator;
    grid.format = a.format.empty() ? "csv" : a.format;
    grid.output = a.output;
    grid.backend = a.backend;
    return write_grid(system, grid, environment);
  }
  PlannerOptions options;
  (void)parse_batch_mode(a.batch, options.batch);
  options.backend = a.backend;
  options.num_threads = environment.num_threads;
  options.progress = environment.progress();
  const std::vector<Candidate> candidates = list_candidates(system, a.query, options);
  std::string text;
  if (a.format == "json") {
    text = candidates_to_json(candidates);
  } else if (a.format == "csv") {
    text = candidates_to_csv(candidates);
    note_formulas(system, environment);
  } else {
    text = to_table(candidates, a.output.empty() && environment.colored());
  }
  environment.write(text, a.output);
  if (candidates.empty() && !a.query.infeasible) {
    environment.note("no pair is feasible; --infeasible says why");
  }
  return kSuccess;
}

}  // namespace

void add_candidates(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<CandidatesArguments>();
  CLI::App* command = app.add_subcommand(
      "candidates", "List the allocation of every feasible (server, accelerator) pair");
  add_input(*command, a->input);
  command->add_option("--server", a->query.server, "Only this server")->check(non_empty());
  command->add_option("--accelerator", a->query.accelerator, "Only this accelerator")
      ->check(non_empty());
  command->add_flag("--infeasible", a->query.infeasible, "Also the other pairs, with the reason");
  command->add_flag("--undominated", a->query.undominated,
                    "Only pairs that no other pair of the server beats in value and cards");
  add_evaluation(*command, a->batch, a->backend);
  command
      ->add_option("--format", a->format,
                   "Form of the output: table (the default), json or csv; of the grid csv (the "
                   "default) or npy")
      ->check(one_of({"table", "json", "csv", "npy"}));
  add_output(*command, a->output);
  GridArguments& g = a->grid_arguments;
  CLI::Option* grid = command->add_flag(
      "--grid", a->grid, "Every batch size and replica count of the pairs, feasible or not");
  command->add_option("--batches", g.batches, "Of the grid: FIRST:LAST[:STEP]; default: all")
      ->needs(grid)
      ->check(non_empty());
  command
      ->add_option("--replicas", g.replicas,
                   "Of the grid: FIRST:LAST[:STEP]; default: from the server's minimum to what "
                   "the least batch size needs, at most 256")
      ->needs(grid)
      ->check(non_empty());
  command->add_flag("--percentiles", g.percentiles, "Of the grid: also percentiles of TTFT (slow)")
      ->needs(grid);
  command->add_option("--fields", g.fields, "Of the grid: only these, separated by commas")
      ->needs(grid)
      ->check(non_empty());
  command->add_option("--memory", g.memory, "Of the grid: memory to work in, e.g. 256M")
      ->needs(grid)
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  tonnage candidates fleet.json --server chat-1 --infeasible\n"
      "  tonnage candidates fleet.json --format csv -o candidates.csv\n"
      "  tonnage candidates fleet.json --grid --server chat-1 --batches 1:64 --replicas 1:32\n"
      "  tonnage candidates fleet.json --grid --format npy -o grid");
  command->callback([=, &environment, &run] {
    const bool of_grid = a->format.empty() || a->format == "csv" || a->format == "npy";
    if (a->grid ? !of_grid : a->format == "npy") {
      throw CLI::ValidationError(
          "--format",
          a->grid
              ? fmt::format("\"{}\" is not a format of the grid, expected csv or npy", a->format)
              : "npy is a format of the grid: add --grid");
    }
    run = [=, &environment] { return list(*a, environment); };
  });
}

void add_backends(CLI::App& app, const Environment& environment, Run& run) {
  CLI::App* command =
      app.add_subcommand("backends", "List the backends of this build and whether they are usable");
  command->footer(
      "Example:\n"
      "  tonnage plan fleet.json --backend cpu");
  command->callback([&environment, &run] {
    run = [&environment] {
      using enum Align;
      TextTable table({{"backend"}, {"usable"}, {"details"}});
      for (const auto& backend : backends()) {
        const Availability availability = backend->availability();
        table.add({std::string(backend->name()), availability.usable ? "yes" : "no",
                   availability.reason});
      }
      environment.write(table.to_string(environment.colored()), "");
      return kSuccess;
    };
  });
}

}  // namespace tonnage::cli
