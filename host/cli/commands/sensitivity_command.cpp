// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `sensitivity`: its options and its table.
#include <fmt/format.h>

#include <memory>
#include <set>

#include "host/cli/commands/commands.hpp"
#include "host/cli/formula_note.hpp"
#include "host/cli/numbers.hpp"
#include "host/cli/text_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/host/sensitivity.hpp"
#include "tonnage/io/sensitivity_io.hpp"

namespace tonnage::cli {
namespace {

struct SensitivityArguments {
  std::string input, output, axis = "all";
  std::string solver = "auto", format = "table", batch = "max", backend = "auto";
  double range_percent = 20;
  int steps = 2;
};

std::string to_table(const std::vector<SensitivityPoint>& points, bool colored) {
  using enum Align;
  TextTable table({{"what"},
                   {"scale", kRight},
                   {"cards", kRight},
                   {"$/hour", kRight},
                   {"value", kRight},
                   {"served", kRight},
                   {"partial", kRight},
                   {"unserved", kRight}});
  for (const SensitivityPoint& p : points) {
    const bool capacity = p.axis == SensitivityAxis::kCapacity;
    table.add({capacity ? "cards of " + p.type : std::string(to_string(p.axis)),
               fmt::format("{:.4g}", p.scale), capacity ? std::to_string(p.cards) : "-",
               dollars(p.total_cost), dollars(p.total_value), std::to_string(p.served),
               std::to_string(p.partial), std::to_string(p.unserved)},
              false);
  }
  return table.empty() ? "nothing to scale\n" : table.to_string(colored);
}

ExitCode sensitivity(const SensitivityArguments& a, const Environment& environment) {
  const SystemSpec spec = environment.read_fleet(a.input);
  SensitivityOptions options;
  for (const SensitivityAxis axis :
       {SensitivityAxis::kCapacity, SensitivityAxis::kLoad, SensitivityAxis::kSlo}) {
    if (a.axis == "all" || a.axis == to_string(axis)) options.axes.push_back(axis);
  }
  options.scales.clear();
  for (int i = -a.steps; i <= a.steps; ++i) {
    options.scales.push_back(1 + a.range_percent / 100 * i / a.steps);
  }
  (void)parse_solver(a.solver, options.planner.solver);
  (void)parse_batch_mode(a.batch, options.planner.batch);
  options.planner.backend = a.backend;
  options.planner.num_threads = environment.num_threads;
  options.planner.progress = environment.progress();
  const std::vector<SensitivityPoint> points = analyze_sensitivity(spec, options);
  if (a.format == "csv") {
    std::set<std::string_view> types;
    for (const SensitivityPoint& point : points) types.insert(point.type);
    note_formulas({types.begin(), types.end()}, environment);
  }
  environment.write(a.format == "json" ? sensitivity_to_json(points)
                    : a.format == "csv"
                        ? sensitivity_to_csv(points)
                        : to_table(points, a.output.empty() && environment.colored()),
                    a.output);
  return kSuccess;
}

}  // namespace

void add_sensitivity(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<SensitivityArguments>();
  CLI::App* command = app.add_subcommand(
      "sensitivity", "Cost and service of the plan under more or less capacity, load or time");
  add_input(*command, a->input);
  command
      ->add_option("--axis", a->axis,
                   "What is scaled: cards of each type, arrival rates, or latency targets")
      ->check(one_of({"all", "capacity", "load", "slo"}))
      ->capture_default_str();
  add_number(*command, "--range", a->range_percent, 0.1, 99, "Percent to either side");
  add_number(*command, "--steps", a->steps, 1, 100, "Steps to either side");
  command->add_option("--solver", a->solver, "How options are selected under capacity")
      ->check(one_of({"auto", "unlimited", "greedy", "price", "milp"}))
      ->capture_default_str();
  add_evaluation(*command, a->batch, a->backend);
  add_format(*command, a->format, {"table", "json", "csv"});
  add_output(*command, a->output);
  command->footer(
      "Examples:\n"
      "  tonnage sensitivity fleet.json\n"
      "  tonnage sensitivity fleet.json --axis load --range 50 --steps 5 --format csv");
  command->callback([=, &environment, &run] {
    run = [=, &environment] { return sensitivity(*a, environment); };
  });
}

}  // namespace tonnage::cli
