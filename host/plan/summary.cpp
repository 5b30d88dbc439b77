// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Totals of a plan by card type, limit and priority class.
#include "host/plan/summary.hpp"

#include <limits>
#include <utility>

#include "host/options/mixes.hpp"

namespace tonnage {
namespace {

// Whether a server is allocated otherwise than now.
bool changes(const Planning& planning, std::int64_t server) {
  const Choice& choice = planning.selection.choices[server];
  const Option& option = planning.table.options[choice.option];
  if (option.mix < 0) {
    return is_change(planning.problem.servers[server], option.accelerator, choice.num_replicas);
  }
  return mix_transition(planning.problem, planning.table.mixes[option.mix], option.cost).changed;
}

// What the plan takes of each limit; prices per cent/hour, watt and server in place of units.
void summarize_limits(const Planning& planning, const OptimizerSpec& optimizer,
                      const std::vector<std::int64_t>& allocated, Plan& plan) {
  PlanSummary& summary = plan.summary;
  for (std::size_t l = 0; l < planning.limits.size(); ++l) {
    const Limit& limit = planning.limits[l];
    LimitUsage usage;
    usage.name = limit.name();
    usage.limit = limit.amount;
    if (limit.kind == Limit::Kind::kCost) usage.used = summary.total_cost;
    for (std::size_t i = 0; i < allocated.size(); ++i) {
      const PlannedServer& server = plan.allocations[i];
      if (limit.kind == Limit::Kind::kPower) usage.used += server.metrics.power_w * optimizer.pue;
      if (limit.kind != Limit::Kind::kChanges) continue;
      if (changes(planning, allocated[i])) usage.used += 1;
    }
    if (l < planning.selection.limit_prices.size()) {
      usage.price = planning.selection.limit_prices[l] / limit.unit;
    }
    for (StageCertificate& stage : summary.stages) {
      if (l < stage.limit_prices.size()) stage.limit_prices[l] /= limit.unit;
    }
    summary.limits.push_back(std::move(usage));
  }
}

}  // namespace

void summarize_run(const Planning& planning, PlanSummary& summary) {
  summary.stages = planning.selection.stages;
  summary.iterations = planning.selection.iterations;
  summary.solver = to_string(planning.solver);
  summary.backend = planning.backend;
  summary.version = version();
  summary.num_pairs = std::ssize(planning.problem.lines);
  summary.candidates_swept = planning.found.candidates_swept;
  summary.candidates_passed = planning.found.candidates_passed;
  summary.num_candidates = std::ssize(planning.table.options);
  summary.selection_s = planning.selection_s;
  summary.evaluation_s = planning.evaluation_s;
}

void summarize_types(const Planning& planning, PlanSummary& summary) {
  const Problem& problem = planning.problem;
  const OptionTable& table = planning.table;
  const Selection& selection = planning.selection;
  std::vector<std::int64_t> used(problem.type_names.size(), 0);
  std::vector<double> cost(problem.type_names.size(), 0.0);
  for (const Choice& choice : selection.choices) {
    if (choice.option < 0) continue;
    const Option& option = table.options[choice.option];
    if (option.type < 0 || choice.num_replicas == 0) continue;
    const auto add = [&](const PerfRow& perf, std::int64_t replicas) {
      std::int64_t& cards = used[perf.type];
      if (__builtin_add_overflow(cards, replicas * perf.cards_per_replica, &cards)) {
        cards = std::numeric_limits<std::int64_t>::max();
      }
      cost[perf.type] += perf.cost_per_replica * static_cast<double>(replicas);
    };
    const auto perf = [&](std::int64_t line) -> const PerfRow& {
      return problem.perfs[problem.lines[line].perf];
    };
    if (option.mix < 0) {
      add(perf(option.line), choice.num_replicas);
    } else {
      for (const Mix::Part& part : table.mixes[option.mix].parts) {
        add(perf(part.line), part.num_replicas);
      }
    }
  }
  for (std::size_t t = 0; t < problem.type_names.size(); ++t) {
    TypeUsage usage;
    usage.type = problem.type_names[t];
    usage.used = used[t];
    usage.cost = cost[t];
    if (t < selection.type_prices.size()) usage.price = selection.type_prices[t];
    if (problem.type_has_capacity[t]) usage.limit = problem.type_capacity[t];
    summary.types.push_back(std::move(usage));
  }
}

void summarize_priorities(const Planning& planning, std::vector<PriorityOutcome> outcomes,
                          PlanSummary& summary) {
  summary.priorities = std::move(outcomes);
  // Class prices are in the order of the counting stages. The price of a class that is served whole
  // only proves the bound, so it is not reported.
  for (std::size_t k = 0; k < planning.selection.class_prices.size(); ++k) {
    if (summary.stages[k].objective == 0) continue;
    for (PriorityOutcome& outcome : summary.priorities) {
      if (outcome.priority == summary.stages[k].priority) {
        outcome.price = planning.selection.class_prices[k];
      }
    }
  }
}

void summarize_totals(const Planning& planning, const OptimizerSpec& optimizer,
                      const std::vector<std::int64_t>& allocated, Plan& plan) {
  for (const PlannedServer& server : plan.allocations) {
    plan.summary.total_cost += server.allocation.cost_cents_per_hour;
    plan.summary.total_value += server.value;
  }
  summarize_limits(planning, optimizer, allocated, plan);
}

}  // namespace tonnage
