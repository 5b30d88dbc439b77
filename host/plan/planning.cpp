// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Runs planning up to the selection: rows, evaluation by a backend, options, solver. Describing the
// result is in planner.cpp.
#include "host/plan/planning.hpp"

#include <fmt/format.h>

#include <limits>

#include "host/base/parallel.hpp"
#include "host/base/stopwatch.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/milp_selection.hpp"

namespace tonnage {
namespace {

Selection select(const OptionTable& table, Solver solver, const OptimizerSpec& optimizer,
                 const PlannerOptions& options) {
  if (solver == Solver::kPrice) {
    PriceOptions price;
    price.num_threads = options.num_threads;
    price.policy = optimizer.saturation_policy;
    price.delayed_best_effort = optimizer.delayed_best_effort;
    price.progress = options.progress;
    return select_price(table, price);
  }
  if (solver == Solver::kMilp) {
    MilpOptions milp;
    milp.num_threads = options.num_threads;
    milp.policy = optimizer.saturation_policy;
    milp.delayed_best_effort = optimizer.delayed_best_effort;
    milp.time_limit_s = options.time_limit_s;
    milp.progress = options.progress;
    return select_milp(table, milp);
  }
  Selection selection;
  selection.choices = solver == Solver::kGreedy ? select_greedy(table, optimizer.saturation_policy,
                                                                optimizer.delayed_best_effort)
                                                : select_unlimited(table);
  return selection;
}

}  // namespace

Problem build_rows(const System& system, int num_threads) {
  constexpr std::int64_t kServersPerChunk = 4096;
  return build_problem(system, [num_threads](std::int64_t count, const auto& body) {
    parallel_chunks(count, kServersPerChunk, num_threads, body);
  });
}

std::vector<std::int64_t> left_by(const OptionTable& table, const std::vector<Choice>& choices) {
  std::vector<std::int64_t> left = table.capacity;
  left.insert(left.end(), table.limits.begin(), table.limits.end());
  const auto take = [&](std::int32_t resource, std::int64_t amount) {
    if (__builtin_sub_overflow(left[resource], amount, &left[resource])) {
      left[resource] = std::numeric_limits<std::int64_t>::min();
    }
  };
  for (const Choice& choice : choices) {
    if (choice.option < 0) continue;
    const Option& option = table.options[choice.option];
    const bool whole = choice.num_replicas == option.num_replicas;
    if (option.type >= 0) take(option.type, choice.num_replicas * option.cards_per_replica);
    for (const Use& use : table.uses_of(option)) {
      take(use.resource, whole ? use.whole : use.of(choice.num_replicas, option.num_replicas));
    }
  }
  return left;
}

std::string option_name(const Planning& planning, const Option& option) {
  const auto name = [&](std::int64_t replicas, std::int64_t line) {
    const PerfRow& perf = planning.problem.perfs[planning.problem.lines[line].perf];
    return fmt::format("{} x {}", replicas, planning.problem.accelerators[perf.accelerator].name());
  };
  if (option.mix < 0) return name(option.num_replicas, option.line);
  const auto& [a, b] = planning.table.mixes[option.mix].parts;
  return name(a.num_replicas, a.line) + std::string(kPartSeparator) + name(b.num_replicas, b.line);
}

SearchOptions search_options(const PlannerOptions& options) {
  SearchOptions search;
  search.batch = options.batch;
  search.num_threads = options.num_threads;
  search.progress = options.progress;
  return search;
}

Planning run_planning(const System& system, const OptimizerSpec& optimizer,
                      const PlannerOptions& options) {
  if (!(options.time_limit_s >= 0 && options.time_limit_s <= std::numeric_limits<double>::max())) {
    throw Error(ErrorCode::kInvalidInput, fmt::format("the time limit is {} s, expected a finite "
                                                      "number from 0 on",
                                                      options.time_limit_s));
  }
  Stopwatch watch;
  Planning p;
  p.problem = build_rows(system, options.num_threads);
  const std::unique_ptr<Evaluator> backend =
      select_backend(options.backend, std::ssize(p.problem.lines));
  p.backend = backend->name();
  p.found = backend->search(p.problem, search_options(options));
  p.evaluation_s = watch.lap();
  p.solver = options.solver;
  const bool unlimited = optimizer.unlimited && !optimizer.has_limits();
  if (p.solver == Solver::kAuto) {
    p.solver = unlimited               ? Solver::kUnlimited
               : optimizer.milp_solver ? Solver::kMilp
                                       : Solver::kPrice;
  }
  if (p.solver == Solver::kUnlimited && optimizer.has_limits()) {
    throw Error(ErrorCode::kInvalidInput,
                "the solver unlimited ignores maxCost, maxPower and maxChanges; use auto, greedy, "
                "price or milp");
  }
  // Greedy is the published selection, which has no mixes.
  Offers offers = offer_options(p.problem, optimizer, p.found.lines, p.solver != Solver::kGreedy,
                                options.num_threads, options.progress);
  p.table = std::move(offers.table);
  p.limits = std::move(offers.limits);
  p.selection = select(p.table, p.solver, optimizer, options);
  p.selection_s = watch.lap();
  return p;
}

}  // namespace tonnage
