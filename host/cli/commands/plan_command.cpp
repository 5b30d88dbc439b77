// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `plan`: its options, the hand-over of a plan as table or JSON, and the exit code of
// an incomplete plan. The table is in host/cli/plan_table.cpp.
#include <fmt/format.h>

#include <memory>

#include "host/base/stopwatch.hpp"
#include "host/cli/commands/commands.hpp"
#include "host/cli/numbers.hpp"
#include "host/cli/plan_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage::cli {
namespace {

constexpr std::size_t kPlanRowsShown = 40;

struct PlanArguments {
  std::string input, output;
  std::string solver = "auto", format = "table", batch = "max", backend = "auto";
  double time_limit_s = PlannerOptions{}.time_limit_s;
  bool all = false, timing = false;
};

ExitCode plan(const PlanArguments& a, const Environment& environment) {
  Stopwatch watch;
  const SystemSpec spec = environment.read_fleet(a.input);
  const double reading_s = watch.lap();
  PlannerOptions options;
  // The parser has checked both names.
  (void)parse_solver(a.solver, options.solver);
  (void)parse_batch_mode(a.batch, options.batch);
  options.backend = a.backend;
  options.time_limit_s = a.time_limit_s;
  options.num_threads = environment.num_threads;
  options.progress = environment.progress();
  const System system(spec);
  const Plan plan = make_plan(system, spec.optimizer, options);
  const double planning_s = watch.lap();
  const bool colored = a.output.empty() && environment.colored();
  environment.write(a.format == "json"
                        ? plan_to_json(plan, a.timing)
                        : plan_to_table(plan, system, a.all ? 0 : kPlanRowsShown, colored),
                    a.output);
  if (a.timing) {
    environment.note(
        fmt::format("reading {:.3f} s, planning {:.3f} s (of which evaluation "
                    "{:.3f} s, selection {:.3f} s), writing {:.3f} s",
                    reading_s, planning_s, plan.summary.evaluation_s, plan.summary.selection_s,
                    watch.lap()));
  }
  return plan.complete() ? kSuccess : kIncomplete;
}

}  // namespace

void add_plan(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<PlanArguments>();
  CLI::App* command = app.add_subcommand(
      "plan", "Choose accelerator, batch size and replicas for every server of a fleet");
  add_input(*command, a->input);
  command->add_option("--solver", a->solver, "How options are selected under capacity")
      ->check(one_of({"auto", "unlimited", "greedy", "price", "milp"}))
      ->capture_default_str();
  add_number(*command, "--time-limit", a->time_limit_s, 0, 1e9,
             "Seconds for --solver milp; it then keeps the best plan found. 0: no limit");
  add_evaluation(*command, a->batch, a->backend);
  add_format(*command, a->format, {"table", "json"});
  add_output(*command, a->output);
  command->add_flag("--all", a->all, "Show every row of the table");
  command->add_flag("--timing", a->timing,
                    "Say on standard error how long each step took; JSON gets summary.timing");
  command->footer(
      "Exit code 3: planned, but some servers are unallocated or partial.\n\n"
      "Examples:\n"
      "  tonnage plan fleet.json\n"
      "  tonnage plan fleet.json --format json -o plan.json\n"
      "  tonnage generate --servers 1000 | tonnage plan -");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return plan(*a, environment); }; });
}

}  // namespace tonnage::cli
