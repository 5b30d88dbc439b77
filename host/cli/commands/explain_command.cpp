// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The command `explain`: its options and its table.
#include <fmt/format.h>

#include <memory>

#include "host/cli/commands/commands.hpp"
#include "host/cli/text_table.hpp"
#include "host/cli/usage.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/host/explain.hpp"
#include "tonnage/io/explanation_io.hpp"

namespace tonnage::cli {
namespace {

constexpr std::size_t kServersShown = 20;

struct ExplainArguments {
  std::string input, output, server;
  std::string solver = "auto", format = "table", batch = "max", backend = "auto";
  bool all = false;
};

std::string to_table(const Explanation& e, bool colored) {
  using enum Align;
  std::string text = fmt::format("{} (priority {}): {}\n", bold(printable(e.server), colored),
                                 e.priority, printable(e.outcome));
  text += fmt::format("  why: {}\n", printable(e.reason));
  for (const std::string& help : e.would_help) {
    text += fmt::format("  would help: {}\n", printable(help));
  }
  if (e.options.empty()) return text;
  const bool priced = e.options.front().priced_value.has_value();
  std::vector<TextTable::Column> columns{
      {"option"}, {"batch", kRight}, {"cards", kRight}, {"$/hour", kRight}, {"value", kRight}};
  if (priced) columns.push_back({"with cards", kRight});
  columns.push_back({"short by", kRight});
  columns.push_back({"note"});
  TextTable table(columns);
  for (const ExplainedOption& o : e.options) {
    std::vector<std::string> cells{o.num_replicas == 0 ? "nothing" : o.name,
                                   o.num_replicas == 0 ? "-" : std::to_string(o.max_batch),
                                   std::to_string(o.cards), dollars(o.cost), dollars(o.value)};
    if (priced) cells.push_back(dollars(*o.priced_value));
    cells.push_back(std::to_string(o.cards_lacking));
    cells.push_back(o.note);
    table.add(cells, o.chosen);
  }
  return text + table.to_string(colored);
}

ExitCode explain(const ExplainArguments& a, const Environment& environment) {
  const SystemSpec spec = environment.read_fleet(a.input);
  PlannerOptions options;
  (void)parse_solver(a.solver, options.solver);
  (void)parse_batch_mode(a.batch, options.batch);
  options.backend = a.backend;
  options.num_threads = environment.num_threads;
  options.progress = environment.progress();
  const System system(spec);
  expect_name(a.server, "server", system.servers());
  const auto explanations = explain_plan(system, spec.optimizer, a.server, options);
  if (a.format == "json") {
    environment.write(explanations_to_json(explanations), a.output);
    return kSuccess;
  }
  std::string text;
  const std::size_t shown =
      a.all ? explanations.size() : std::min(kServersShown, explanations.size());
  const bool colored = a.output.empty() && environment.colored();
  for (std::size_t i = 0; i < shown; ++i) {
    text += (text.empty() ? "" : "\n") + to_table(explanations[i], colored);
  }
  if (shown < explanations.size()) {
    text += fmt::format("\n... and {} more (--all shows them)\n", explanations.size() - shown);
  }
  environment.write(text, a.output);
  return kSuccess;
}

}  // namespace

void add_explain(CLI::App& app, const Environment& environment, Run& run) {
  auto a = std::make_shared<ExplainArguments>();
  CLI::App* command = app.add_subcommand(
      "explain", "Explain what each server gets, and what would help the unserved ones");
  add_input(*command, a->input);
  command->add_option("--server", a->server, "Only this server")->check(non_empty());
  command->add_option("--solver", a->solver, "How options are selected under capacity")
      ->check(one_of({"auto", "unlimited", "greedy", "price", "milp"}))
      ->capture_default_str();
  add_evaluation(*command, a->batch, a->backend);
  add_format(*command, a->format, {"table", "json"});
  add_output(*command, a->output);
  command->add_flag("--all", a->all, "Show every server");
  command->footer(
      "Examples:\n"
      "  tonnage explain fleet.json --server chat-1\n"
      "  tonnage explain fleet.json --format json -o why.json");
  command->callback(
      [=, &environment, &run] { run = [=, &environment] { return explain(*a, environment); }; });
}

}  // namespace tonnage::cli
