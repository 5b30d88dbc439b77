// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Makes plans from prices: perturbs values that tie, rounds, repairs and improves.
#include "host/select/price/plans/plan_maker.hpp"

#include <algorithm>
#include <utility>

namespace tonnage::price {
namespace {

// So many of the plans made are improved; fewer where that takes long.
constexpr std::int64_t kMinPolished = 1, kMaxPolished = 12;
constexpr std::int64_t kPolishedServers = 15000;
constexpr int kImproveRounds = 20;
constexpr int kMinExchangeRounds = 3, kMaxExchangeRounds = 50;
constexpr std::int64_t kExchangedServers = 4000000;  // walked in all rounds together

// What a plan costs at prices of service levels, those of classes that must be served whole aside.
double priced(const Table& table, const Stage& stage, const Prices& prices,
              const Assignment& assignment) {
  double cost = stage.value_weight * assignment.value(table);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    if (!stage.is_forced(k)) cost += prices.skip[k] * static_cast<double>(assignment.skipped(k));
  }
  return cost;
}

// Servers of classes that must be served whole and are not.
std::int64_t forced(const Stage& stage, const Assignment& assignment) {
  std::int64_t sum = 0;
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    if (stage.is_forced(k)) sum += assignment.skipped(k);
  }
  return sum;
}

int exchange_rounds(const Table& table) {
  return static_cast<int>(std::clamp<std::int64_t>(kExchangedServers / (table.num_servers() + 1),
                                                   kMinExchangeRounds, kMaxExchangeRounds));
}

}  // namespace

std::int64_t shortfall(const Stage& stage, const Assignment& assignment) {
  std::int64_t sum = 0;
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    if (stage.may_skip[k] == Stage::kNoLimit) continue;
    sum += std::max<std::int64_t>(0, assignment.skipped(k) - stage.may_skip[k]);
  }
  return sum;
}

std::int64_t lack(const Table& table, const Stage& stage, const Assignment& assignment) {
  std::int64_t sum = shortfall(stage, assignment);
  for (std::int32_t r = 0; r < table.num_resources; ++r) {
    sum += std::max<std::int64_t>(0, -assignment.left(r));
  }
  return sum;
}

PlanMaker::PlanMaker(const Table& table, int num_threads, std::int64_t& iterations)
    : table_(table), num_threads_(num_threads), iterations_(iterations) {
  double sum = 0;
  for (std::int64_t p = 0; p < table.num_servers(); ++p) {
    const auto own = table.options_of(p);
    sum += own.back().value - own.front().value;
  }
  sum /= static_cast<double>(std::max<std::int64_t>(1, table.num_servers()));
  if (sum > 0) spread_ = sum;
}

PlanMaker::Apart PlanMaker::tell_apart(const Stage& stage, const Prices& start, double perturbation,
                                       std::uint64_t seed, std::int64_t* spare) {
  Apart apart{perturbed(table_, perturbation * spread_, seed), {}};
  if (spare != nullptr && *spare > 0) {
    const std::vector<std::int64_t> whole = apart.table.capacity;
    for (std::int32_t t = 0; t < table_.num_types; ++t) {
      std::int64_t& capacity = apart.table.capacity[t];
      capacity -= std::min(capacity, *spare);
    }
    auto bounded =
        bounded_prices(apart.table, stage, start, kPlanAccuracy, num_threads_, iterations_);
    if (bounded) {
      apart.prices = std::move(*bounded);
      return apart;
    }
    apart.table.capacity = whole;
    *spare = 0;
  }
  apart.prices = maximise_dual(apart.table, stage, start, kPlanAccuracy, num_threads_, iterations_);
  return apart;
}

Assignment PlanMaker::own(const Assignment& plan) const {
  Assignment assignment(table_, plan.num_classes());
  for (std::int64_t p = 0; p < assignment.num_servers(); ++p) assignment.put(p, plan.option_of(p));
  return assignment;
}

Assignment PlanMaker::choose_perturbed(const Stage& stage, const Prices& start, double perturbation,
                                       std::uint64_t seed, std::int64_t* spare) {
  const Apart apart = tell_apart(stage, start, perturbation, seed, spare);
  return own(cheapest_choices(apart.table, stage, apart.prices, num_threads_));
}

Assignment PlanMaker::round_perturbed(const Stage& stage, const Prices& start, double perturbation,
                                      std::uint64_t seed) {
  const Apart apart = tell_apart(stage, start, perturbation, seed);
  Assignment assignment = own(round_prices(apart.table, stage, apart.prices, num_threads_));
  restore_levels(table_, stage, assignment);
  fill(table_, stage, start, assignment);
  return assignment;
}

Assignment PlanMaker::attempt(const Stage& target, const Stage& stage, const Prices& prices,
                              double perturbation, std::uint64_t seed) {
  Assignment plan = round_perturbed(target, prices, perturbation, seed);
  improve_moves(stage, prices, plan);
  const std::int64_t lacking = shortfall(stage, plan);
  if (lacking > 0 && lacking <= kRepairable) exchange_moves(stage, prices, plan);
  return plan;
}

std::vector<std::size_t> PlanMaker::most_promising(const Stage& stage, const Prices& prices,
                                                   const std::vector<Assignment>& plans) const {
  std::vector<std::pair<std::pair<std::int64_t, double>, std::size_t>> order;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    order.push_back({{forced(stage, plans[i]), priced(table_, stage, prices, plans[i])}, i});
  }
  std::sort(order.begin(), order.end());
  const auto most = static_cast<std::size_t>(
      std::clamp(kPolishedServers / (table_.num_servers() + 1), kMinPolished, kMaxPolished));
  if (order.size() > most) order.resize(most);
  std::vector<std::size_t> indices;
  for (const auto& [merit, i] : order) indices.push_back(i);
  return indices;
}

void PlanMaker::repair(const Stage& stage, const Prices& prices, Assignment& plan) const {
  improve_moves(stage, prices, plan);
  if (falls_short(stage, plan)) exchange_moves(stage, prices, plan);
}

void PlanMaker::improve_moves(const Stage& stage, const Prices& prices, Assignment& plan) const {
  improve(table_, stage, prices, kImproveRounds, plan);
}

void PlanMaker::exchange_moves(const Stage& stage, const Prices& prices, Assignment& plan) const {
  exchange(table_, stage, prices, exchange_rounds(table_), plan);
}

void PlanMaker::repair_moves(const Stage& stage, const Prices& prices, Assignment& plan) const {
  if (lack(table_, stage, plan) > kExchangeable) return;
  repair_by_exchanges(table_, stage, prices, exchange_rounds(table_), plan);
}

}  // namespace tonnage::price
