// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Runs the stages of the price solver in order, and holds the steps that they share: improvement,
// tightening, restricted search. Budgets by fleet size are here too.
#include "host/select/price/price_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "host/select/price/certificate.hpp"
#include "host/select/solver/choice_model.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage {
namespace price {
namespace {

// Weight of values in counting stages, as a share of a server's spread of values: a tie break among
// plans that serve as many servers.
constexpr double kValueInCounts = 1e-5;
// Largest number of servers for exact searches; beyond it they take long and gain little over
// prices.
constexpr std::int64_t kMaxSearched = 1500;
constexpr std::int64_t kOtherWork = 30000000, kExactWork = 60000000, kBoundWork = 64000000;
// A first short attempt, after which small stages are often settled.
constexpr RestLimits kGlance{400, 0, 0, 20000000, 0};
constexpr RestLimits kFirstLook{2000, 2500, kOtherWork, kExactWork, kBoundWork};
constexpr RestLimits kSecondLook{6000, 3000, kOtherWork, kExactWork, kBoundWork};
// Most repetitions of the value stage, which is redone if it improves a service level.
constexpr int kMaxRepeats = 5;

constexpr Effort kSmallEffort{.counts = 13000000,
                              .value = 20000000,
                              .plan = 20000000,
                              .last = 6000000,
                              .one = 20000000,
                              .branch = 60000000,
                              .branch_value = 60000000,
                              .certify_counts = 60000000,
                              .certify = 120000000,
                              .near_value = 1e-4,
                              .spare = 0,
                              .excess = 4,
                              .count_plans = 1};
constexpr Effort kEffort{.counts = 40000000,
                         .value = 60000000,
                         .plan = 36000000,
                         .last = 12000000,
                         .one = 12000000,
                         .branch = 300000000,
                         .branch_value = 180000000,
                         .certify_counts = 12000000,
                         .certify = 45000000,
                         .near_value = 1e-4,
                         .spare = 0,
                         .excess = 4,
                         .count_plans = 1};
// In large fleets spare cards cost hardly anything; without them plans miss capacity by one card.
constexpr Effort kLargeEffort{.counts = 64000000,
                              .value = 300000000,
                              .plan = 48000000,
                              .last = 32000000,
                              .one = 16000000,
                              .branch = 60000000,
                              .branch_value = 100000000,
                              .certify_counts = 0,
                              .certify = 0,
                              .near_value = 1.5e-4,
                              .spare = 1,
                              .excess = 16,
                              .count_plans = 4};

// Servers with more options than this reduce the work limit of exact searches and certificates in
// proportion, because the counted work leaves out the options that each step visits. A fleet of 20
// servers with 1,530 options each otherwise takes far longer for the same plan.
constexpr std::int64_t kManyOptions = 25;

Effort effort_of(const Table& table) {
  const std::int64_t servers = table.num_servers();
  if (servers > kLarge) return kLargeEffort;
  if (servers > kMaxSearched) return kEffort;
  Effort effort = kSmallEffort;
  const std::int64_t expected = kManyOptions * servers;
  const auto options = static_cast<std::int64_t>(table.options.size());
  if (options > expected) {
    effort.share = static_cast<double>(expected) / static_cast<double>(options);
    for (std::int64_t* budget :
         {&effort.value, &effort.plan, &effort.last, &effort.one, &effort.certify}) {
      *budget = static_cast<std::int64_t>(static_cast<double>(*budget) * effort.share);
    }
  }
  return effort;
}

}  // namespace

PriceSolver::PriceSolver(const OptionTable& from, const PriceOptions& options)
    : from_(from),
      options_(options),
      table_(flatten(from)),
      best_(table_, 0),
      maker_(table_, options.num_threads, iterations_),
      effort_(effort_of(table_)),
      grouped_(effort_.value, effort_.one, maker_.spread()) {
  for (std::int64_t p = 0; p < table_.num_servers(); ++p) {
    const auto own = table_.options_of(p);
    sum_of_values_ += std::max(std::abs(own.front().value), std::abs(own.back().value));
  }
  count_weight_ = kValueInCounts / maker_.spread();
}

Selection PriceSolver::solve() {
  const Assignment greedy = greedy_assignment(from_, table_);
  for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
    report(k);
    count_stage(k, greedy);
  }
  report(table_.num_classes());
  for (int i = 0; i < kMaxRepeats; ++i) {
    const std::vector<std::int64_t> before = best_.skipped();
    value_stage(greedy, i == 0);
    if (best_.skipped() == before) break;
  }
  settle_bounds();
  return finish();
}

void PriceSolver::report(std::int64_t stages_done) const {
  if (options_.progress) options_.progress("selecting", stages_done, table_.num_classes() + 1);
}

Stage PriceSolver::count_stage_of(std::int32_t rank, double value_weight) const {
  Stage stage;
  stage.num_classes = rank + 1;
  stage.value_weight = value_weight;
  stage.skip_cost.assign(static_cast<std::size_t>(rank) + 1, 0.0);
  stage.skip_cost[rank] = 1;
  stage.may_skip.assign(best_.skipped().begin(), best_.skipped().begin() + rank);
  stage.may_skip.push_back(Stage::kNoLimit);
  return stage;
}

Stage PriceSolver::value_stage_of() const {
  Stage stage;
  stage.num_classes = table_.num_classes();
  stage.skip_cost.assign(static_cast<std::size_t>(stage.num_classes), 0.0);
  stage.may_skip = best_.skipped();
  return stage;
}

void PriceSolver::improve_best(const Stage& stage, const Prices& prices) {
  Assignment plan = best_;
  maker_.improve_moves(stage, prices, plan);
  keep(plan);
}

void PriceSolver::exchange_best(const Stage& stage, const Prices& prices) {
  const double before = objective_of(table_, stage, best_);
  if (before == exchanged_) return;
  Assignment plan = best_;
  maker_.exchange_moves(stage, prices, plan);
  keep(plan);
  exchanged_ = objective_of(table_, stage, best_);
}

bool PriceSolver::may_tighten() const { return has_exact_solver() && !is_large(); }

bool PriceSolver::may_solve_rest() const {
  return has_exact_solver() && table_.num_servers() <= kMaxSearched;
}

void PriceSolver::glance(const Stage& stage, const Relaxed& relaxed, Proof& proof) {
  if (!may_solve_rest()) return;
  solve_rest(table_, stage, relaxed, kGlance, best_, proof);
}

void PriceSolver::tighten(const Stage& stage, double enough, std::int64_t work, Relaxed& relaxed,
                          Proof& proof) {
  if (!may_tighten()) return;
  const Prices prices = relaxed.prices;
  Relaxer relaxer(table_, stage, prices, options_.num_threads, iterations_);
  relaxed = relaxer.relax({}, enough, work / 2);
  const CertifyLimits limits{enough, work - relaxer.work()};
  const double bound = certify(relaxer, relaxed, limits, [&](const Assignment& plan) {
    if (plan.is_feasible() && !falls_short(stage, plan)) keep(plan);
  });
  proof.bound = std::max(proof.bound, bound);
}

void PriceSolver::search_rest(const Stage& pure, const Relaxed& relaxed, const Stage& stage,
                              const Prices& prices, Proof& proof) {
  if (!may_solve_rest()) return;
  for (RestLimits limits : {kFirstLook, kSecondLook}) {
    for (std::int64_t* work : {&limits.other_work, &limits.exact_work, &limits.bound_work}) {
      // 0 would be no limit.
      *work = std::max<std::int64_t>(
          1, static_cast<std::int64_t>(static_cast<double>(*work) * effort_.share));
    }
    if (proof.objective <= proof.bound) break;
    const auto progress = solve_rest(table_, pure, relaxed, limits, best_, proof);
    if (progress == Progress::kSettled) break;
    maker_.exchange_moves(stage, prices, best_);
    proof.objective = objective_of(table_, pure, best_);
  }
}

Selection PriceSolver::finish() const {
  Selection selection;
  selection.iterations = iterations_;
  selection.choices = choices_of(from_, table_, best_, options_);
  const auto add = [&](const Stage& stage, double hopeless) -> StageCertificate& {
    const std::size_t i = selection.stages.size();
    selection.stages.push_back(certificate(table_, stage, prices_[i], proofs_[i], hopeless));
    selection.stages.back().seconds = seconds_[i];
    return selection.stages.back();
  };
  for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
    add(count_stage_of(k, 0), static_cast<double>(table_.hopeless[k])).priority =
        table_.priority[k];
  }
  const Stage last = value_stage_of();
  add(last, 0);
  StatedPrices stated = stated_prices(table_, last, prices_.back());
  selection.type_prices = std::move(stated.types);
  selection.limit_prices = std::move(stated.limits);
  selection.class_prices = std::move(stated.classes);
  return selection;
}

}  // namespace price

Selection select_price(const OptionTable& table, const PriceOptions& options) {
  return price::PriceSolver(table, options).solve();
}

}  // namespace tonnage
