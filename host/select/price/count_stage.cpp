// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The counting stages of the price solver: the fewest unserved servers of
// each class in turn.
#include <algorithm>
#include <cmath>
#include <utility>

#include "host/select/price/plans/schedule.hpp"
#include "host/select/price/price_solver.hpp"
#include "host/select/solver/choice_model.hpp"

namespace tonnage::price {
namespace {

// A plan counts as near if it is within one server or this share of the unserved ones.
constexpr double kNearCount = 0.002;
// Largest share of the budget for one plan: 1 / kBudgetParts.
constexpr std::int64_t kBudgetParts = 3;
// Weight of values in counting stages before an exact search, in servers per spread of a server's
// values; larger in large fleets, where it also brings plans near in value. It is divided by kLess,
// at most kMaxWeights times, while it costs the relaxation more than kTraded servers.
constexpr double kCountValue = 1e-3, kLargeCountValue = 3e-2;
constexpr double kTraded = 2, kLess = 3;
constexpr int kMaxWeights = 6;
// Perturbation of these weights, as a share, and the tolerance of the combined objective.
constexpr double kCountJitter = 0.1, kWeightedNear = 0.1;
// Branching results are handed to later stages if they closed more than this share of the gap.
constexpr double kTelling = 0.5;

bool is_near_count(double unserved, double bound) {
  const double least = std::max(0.0, std::ceil(bound - kCountTolerance));
  return unserved <= least + std::max(1.0, kNearCount * least);
}

}  // namespace

template <class Near>
void PriceSolver::restart_counts(std::int32_t rank, const Stage& stage, const Prices& prices,
                                 const Near& near) {
  const std::int64_t most = num_count_restarts(table_.num_servers());
  for (std::int64_t i = 0; i < most && !near(best_); ++i) {
    const CountAim aim = count_restart(static_cast<std::size_t>(i));
    const Stage target = count_stage_of(rank, aim.factor * count_weight_);
    Assignment plan = maker_.attempt(target, stage, prices, aim.perturbation, aim.seed);
    if (!falls_short(stage, plan) && plan.skipped(rank) <= best_.skipped(rank) + kRepairable) {
      maker_.exchange_moves(stage, prices, plan);
    }
    keep(plan);
  }
}

void PriceSolver::count_stage(std::int32_t rank, const Assignment& greedy) {
  best_.extend(table_, rank + 1);
  exchanged_ = kNever;
  const Stage stage = count_stage_of(rank, count_weight_);
  const Stage pure = count_stage_of(rank, 0);
  const Prices prices = maximise_dual(table_, stage, zero_prices(table_, stage), kBoundAccuracy,
                                      options_.num_threads, iterations_);
  Prices of_bound = prices;
  // Below 0 as it may be: what a better plan may consist of follows from it.
  least_skipped_.push_back(respond(table_, pure, prices, options_.num_threads).bound());
  Proof proof;
  proof.bound = proof.of_prices = least_skipped_.back();
  const auto done = [&](const Assignment& p) {
    const double least = std::max(0.0, std::ceil(proof.bound - kCountTolerance));
    return !falls_short(stage, p) && static_cast<double>(p.skipped(rank)) <= least;
  };

  fill(table_, stage, prices, best_);
  Assignment greedy_part(table_, rank + 1);
  for (std::int64_t p = 0; p < greedy_part.num_servers(); ++p) {
    greedy_part.put(p, greedy.option_of(p));
  }
  keep(greedy_part);
  if (!done(best_)) {
    // The weight of values costs the bound of a large fleet some servers.
    const Prices bare =
        maximise_dual(table_, pure, prices, kBoundAccuracy, options_.num_threads, iterations_);
    const double bound = respond(table_, pure, bare, options_.num_threads).bound();
    if (bound > least_skipped_.back()) {
      least_skipped_.back() = bound;
      proof.bound = proof.of_prices = bound;
      of_bound = bare;
    }
  }
  for (OpenNode& open_node : open_nodes_) open_node.bound = proof.bound;
  const auto target = [&](const CountAim& aim) {
    return count_stage_of(rank, aim.factor * count_weight_);
  };
  std::vector<Assignment> plans = try_aims(count_aims(table_.num_servers()), prices, target, done);
  proof.objective = static_cast<double>(best_.skipped(rank));
  Relaxed relaxed{proof.of_prices, of_bound, {}, best_};
  if (!done(best_)) glance(pure, relaxed, proof);
  if (!done(best_)) search_counts(pure, of_bound, proof);
  if (!done(best_)) {
    // Bounds above the next whole number below the best plan prove it optimal.
    const double enough = static_cast<double>(best_.skipped(rank)) - 1 + 2 * kCountTolerance;
    Relaxed tightened = relaxed;
    tighten(pure, enough, effort_.certify_counts, tightened, proof);
  }
  const auto is_near = [&](const Assignment& p) {
    return done(p) || is_near_count(static_cast<double>(p.skipped(rank)), proof.bound);
  };
  polish(stage, prices, std::move(plans),
         [&](const Assignment& p) { return has_exact_solver() ? is_near(p) : done(p); });
  restart_counts(rank, stage, prices, is_near);
  if (!done(best_)) improve_best(stage, prices);
  if (!done(best_) && !has_exact_solver()) exchange_best(stage, prices);
  proof.objective = static_cast<double>(best_.skipped(rank));
  if (!done(best_)) search_rest(pure, relaxed, stage, prices, proof);
  leave_hopeful(rank, proof);
  proof.bound = std::min(proof.objective, std::max(0.0, std::ceil(proof.bound - kCountTolerance)));
  prices_.push_back(std::move(of_bound));
  proofs_.push_back(proof);
  seconds_.push_back(watch_.lap());
}

void PriceSolver::search_counts(const Stage& stage, const Prices& prices, Proof& proof) {
  if (!has_exact_solver()) return;
  GroupedGoal goal{proof.bound, 1 - kCountTolerance, proof.objective - proof.bound, 1};
  const auto unserved = [&] { return objective_of(table_, stage, best_); };
  const auto search_around_best = [&] {
    GroupedSearches searches(effort_.last, effort_.one, 1);
    searches.settle(table_, stage, prices, goal, best_);
  };
  const bool is_close = goal.slack <= kExchangeable;
  if (is_close) search_around_best();
  const double before = unserved();
  if (before - proof.bound <= goal.near) return;
  GroupedSearches alike(effort_.counts, effort_.one, 1);
  const auto make = [&](PlanMaker&, const Table& table, const Stage& of_node, const Prices& at,
                        double bound, const OpenNode& open_node) {
    goal.bound = bound;
    return count_plan(table, of_node, at, goal, open_node.bound, alike);
  };
  const BranchLimits limits{goal.near, kBranchAccuracy, effort_.branch, true};
  const double of_prices = proof.bound;
  std::vector<OpenNode> open_nodes = open_nodes_;
  branch(table_, stage, prices, limits, options_.num_threads, iterations_, make, open_nodes, best_,
         proof);
  // If branching proves little, one set of prices for all says more than one per node.
  if (proof.bound - of_prices > kTelling * (unserved() - of_prices))
    open_nodes_ = std::move(open_nodes);
  goal.bound = proof.bound;
  if (!is_large() && (!is_close || unserved() < before)) search_around_best();
}

PriceSolver::Weighted PriceSolver::weighted(const Table& table, const Stage& stage,
                                            const Prices& prices, double least_skipped) {
  Weighted result{table, prices, 0};
  double share = is_large() ? kLargeCountValue : kCountValue;
  for (int tries = kMaxWeights;; share /= kLess) {
    const double weight = share / maker_.spread();
    for (std::size_t o = 0; o < table.options.size(); ++o) {
      result.table.options[o].value = table.options[o].value + weight * table_.options[o].value;
    }
    result.prices = maximise_dual(result.table, stage, result.prices, kPlanAccuracy,
                                  options_.num_threads, iterations_);
    const Response response = respond(result.table, stage, result.prices, options_.num_threads);
    result.bound = response.bound();
    if (--tries == 0 || response.skipped.back() <= least_skipped + kTraded) return result;
  }
}

Assignment PriceSolver::count_plan(const Table& table, const Stage& stage, const Prices& prices,
                                   GroupedGoal goal, double least_skipped,
                                   GroupedSearches& searches) {
  // Where servers only count values are nothing. A little of them decides among plans that serve as
  // many, which leaves the stage of value less to do and searches less to choose from.
  const Weighted own = weighted(table, stage, prices, least_skipped);
  const double enough = goal.bound + goal.near;
  goal.bound = own.bound;
  if (is_large()) goal.near = kWeightedNear;
  // A failed plan leaves its work to the plans of other nodes.
  goal.work = effort_.counts / kBudgetParts;
  if (is_large()) goal.excess = effort_.excess;
  Assignment best(table, stage.num_classes);  // serves nobody
  for (std::int64_t i = 0; i < effort_.count_plans && !searches.is_spent(); i += kSideBySide) {
    const std::int64_t next = std::min(effort_.count_plans, i + kSideBySide);
    const auto make = [&](PlanMaker& maker, GroupedSearches& some, std::int64_t seed) {
      Assignment plan =
          maker.choose_perturbed(stage, own.prices, kCountJitter, static_cast<std::uint64_t>(seed));
      some.settle(own.table, stage, own.prices, goal, plan);
      if (is_large()) maker.repair_moves(stage, own.prices, plan);
      return plan;
    };
    for (const Assignment& plan :
         make_side_by_side(own.table, i, next, options_.num_threads, searches, iterations_, make)) {
      const bool holds = plan.is_feasible() && !falls_short(stage, plan);
      if (holds && is_better(own.table, plan, best)) best = plan.in(table);
    }
    const double unserved =
        std::min(objective_of(table, stage, best), static_cast<double>(best_.skipped().back()));
    if (unserved <= enough || (is_large() && is_near_count(unserved, least_skipped))) break;
  }
  return best;
}

void PriceSolver::leave_hopeful(std::int32_t rank, const Proof& proof) {
  std::erase_if(open_nodes_, [&](const OpenNode& open_node) {
    return open_node.bound - kCountTolerance > static_cast<double>(best_.skipped(rank));
  });
  for (OpenNode& open_node : open_nodes_) open_node.least_skipped.push_back(open_node.bound);
  if (open_nodes_.empty()) open_nodes_.push_back({{}, proof.bound, least_skipped_});
}

void PriceSolver::settle_bounds() {
  for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
    Proof& proof = proofs_[k];
    proof.objective = static_cast<double>(best_.skipped(k));
    const Stage pure = count_stage_of(k, 0);
    for (std::int32_t j = 0; j < k; ++j) {
      // A level of 0 means that all must be served.
      if (pure.is_forced(j)) {
        prices_[k].skip[j] = std::numeric_limits<double>::infinity();
      }
    }
    const double bound = respond(table_, pure, prices_[k], options_.num_threads).bound();
    const double whole = std::ceil(bound - kCountTolerance);
    proof.of_prices = std::max(0.0, whole);
    proof.bound = std::min(proof.objective, std::max(proof.of_prices, proof.bound));
  }
}

}  // namespace tonnage::price
