// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The parts of the price solver by themselves: prices, exchanges, and grouped searches compared
// with dynamic programming.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "host/select/price/plans/grouped_search.hpp"
#include "host/select/price/plans/plan_maker.hpp"
#include "price_cases.hpp"
#include "support/effort.hpp"
#include "support/sampler.hpp"

namespace tonnage::price {
namespace {

using testing::Sampler;

// Kinds of servers that differ in what they take; every server of a kind has the same options.
OptionTable interchangeable_servers(Sampler& random, std::int64_t kinds, std::int64_t of_each) {
  OptionTable t;
  t.first.push_back(0);
  std::int64_t wanted = 0;
  for (std::int64_t k = 0; k < kinds; ++k) {
    const std::int64_t here = 2 + k, there = 3 + random.whole(0, 4);
    const auto value = static_cast<double>(10 * here + random.whole(0, 9));
    const double dearer = value + static_cast<double>(random.whole(1, 30));
    for (std::int64_t i = 0; i < of_each; ++i) {
      add_option(t, value, here, 0);
      add_option(t, dearer, there, 1);
      end_server(t, 1);
      wanted += here;
    }
  }
  t.capacity = {wanted * random.whole(30, 70) / 100, wanted * random.whole(60, 120) / 100};
  return t;
}

// Least value for two types of cards and nobody without, over all that may be left of either.
double least_by_cards_left(const Table& table) {
  const std::int64_t rows = table.capacity[0] + 1, columns = table.capacity[1] + 1;
  std::vector<double> least(static_cast<std::size_t>(rows * columns), kInfinity);
  least.back() = 0;
  for (std::int64_t p = 0; p < table.num_servers(); ++p) {
    std::vector<double> next(least.size(), kInfinity);
    for (const FlatOption& o : table.options_of(p)) {
      const std::int64_t a = o.type == 0 ? o.whole_cards() : 0;
      const std::int64_t b = o.type == 1 ? o.whole_cards() : 0;
      for (std::int64_t i = a; i < rows; ++i) {
        for (std::int64_t j = b; j < columns; ++j) {
          double& to = next[static_cast<std::size_t>((i - a) * columns + j - b)];
          to = std::min(to, least[static_cast<std::size_t>(i * columns + j)] + o.value);
        }
      }
    }
    least = std::move(next);
  }
  return *std::min_element(least.begin(), least.end());
}

// Every move counts, whatever it costs; of one effect `per_kind`.
GroupedLimits all_moves(std::size_t per_kind, std::size_t max_moves) {
  GroupedLimits limits;
  limits.max_reduced_cost = kInfinity;
  limits.tie = 1e-6;
  limits.per_kind = per_kind;
  limits.max_moves = max_moves;
  limits.work = 10'000'000;
  return limits;
}

// A server that must be served by its only option pays any price of its cards, so no price is
// better than another.
TEST(PriceSearch, PricesStayBoundedWithoutAlternatives) {
  OptionTable from;
  from.capacity = {4, 9};
  from.first.push_back(0);
  add_option(from, 100, 4, 0);
  end_server(from, 1);
  for (int s = 0; s < 5; ++s) {
    add_option(from, 40, 2, 1);
    add_option(from, 70, 0, -1);
    end_server(from, 1);
  }
  const Table table = flatten(from);
  const Stage stage = value_stage(table, 0);
  const Prices prices = best_prices(table, stage);
  EXPECT_LT(prices.resource[0], 1e5);
  EXPECT_NEAR(prices.resource[1], 15, 1e-3);
  EXPECT_NEAR(respond(table, stage, prices, 1).bound(), 100 + 5 * 70 - 4.5 * 30, 1e-3);
}

// Prices that prove that a stage has no plan need not rise any further.
TEST(PriceSearch, InfeasibleStagesEndTheSearchSoon) {
  Sampler random;
  const OptionTable from = interchangeable_servers(random, 3, 40);
  const Table table = flatten(from);
  Stage stage = value_stage(table, 0);
  std::int64_t passes = 0;
  double most = 0;
  for (std::int64_t p = 0; p < table.num_servers(); ++p) most += table.options_of(p).back().value;
  Table scarce = table;
  for (std::int64_t& c : scarce.capacity) c /= 4;
  const Prices prices =
      maximise_dual(scarce, stage, zero_prices(scarce, stage), {1e-10, true}, 1, passes);
  EXPECT_GT(respond(scarce, stage, prices, 1).bound(), most);
  EXPECT_LE(passes, 120);
}

TEST(PriceSearch, InfeasiblePlansComeCloser) {
  Sampler random;
  int held = 0, tables = 0;
  for (int i = 0; i < testing::tries(40); ++i) {
    const Table table = flatten(interchangeable_servers(random, 3, 40));
    const Stage stage = value_stage(table, 0);
    const Prices prices = best_prices(table, stage);
    if (least_by_cards_left(table) == kInfinity) continue;
    GroupedLimits limits = all_moves(8, 100);
    limits.excess = 4;
    Assignment plan = cheapest_choices(table, stage, prices, 1);
    const auto lacking = [&] { return lack(table, stage, plan); };
    ++tables;
    for (int search = 0; search < 20 && lacking() > 0; ++search, limits.excess *= 4) {
      const Assignment before = plan;
      if (!search_grouped(table, stage, prices, limits, plan).better) break;
      bool changed = false;
      for (std::int64_t p = 0; p < plan.num_servers(); ++p) {
        changed = changed || plan.option_of(p) != before.option_of(p);
      }
      EXPECT_TRUE(changed) << "table " << i;
    }
    held += lacking() == 0;
  }
  ASSERT_GT(tables, testing::tries(40) / 4);
  EXPECT_GT(held, tables / 2);
}

// Optional servers free cards, so hardly anything is short in the end.
TEST(PriceSearch, ExchangesRepairInfeasiblePlans) {
  Sampler random;
  int lacked = 0, repaired = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const Table table = flatten(few_servers(random));
    const Stage stage = value_stage(table, Stage::kNoLimit);
    const Prices prices = best_prices(table, stage);
    Assignment plan = cheapest_choices(table, stage, zero_prices(table, stage), 1);
    std::int64_t before = lack(table, stage, plan);
    if (before == 0) continue;
    ++lacked;
    for (int round = 0; round < 30 && before > 0; ++round) {
      exchange(table, stage, prices, 1, plan);
      const std::int64_t now = lack(table, stage, plan);
      ASSERT_LE(now, before) << "table " << i;
      before = now;
    }
    if (before > 0) continue;
    ++repaired;
    const double held = plan.value(table);
    exchange(table, stage, prices, 20, plan);
    EXPECT_EQ(lack(table, stage, plan), 0) << "table " << i;
    EXPECT_LE(plan.value(table), held) << "table " << i;
  }
  EXPECT_GT(lacked, testing::tries(300) / 20);
  EXPECT_GT(5 * repaired, 4 * lacked);
}

// Two types of cards. Each server prefers one type by its own amount, and half of them have the
// wrong one. An exchange that corrects two servers corrects all others of their kind at once.
TEST(PriceSearch, ExchangesRepeatForEqualMoves) {
  Sampler random;
  OptionTable from;
  const std::int64_t pairs = 60;
  from.capacity = {2 * pairs, 2 * pairs};
  from.first.push_back(0);
  double least = 0;
  for (std::int64_t s = 0; s < 2 * pairs; ++s) {
    const auto liked = static_cast<std::int32_t>(s % 2);
    const double more = random.real(1, 2);
    add_option(from, 10, 2, liked);
    add_option(from, 10 + more, 2, 1 - liked);
    least += 10;
    from.first.push_back(std::ssize(from.options));
    from.priority.push_back(1);
  }
  const Table table = flatten(from);
  const Stage stage = value_stage(table, 0);
  const Prices prices = best_prices(table, stage);
  Assignment plan(table, 1);
  for (std::int64_t p = 0; p < plan.num_servers(); ++p) plan.put(p, table.first[p] + 1);
  ASSERT_TRUE(plan.is_feasible());
  exchange(table, stage, prices, 1, plan);
  EXPECT_TRUE(plan.is_feasible());
  EXPECT_NEAR(plan.value(table), least, 1e-6);
}

TEST(PriceSearch, RepairStopsAtFeasiblePlans) {
  Sampler random;
  int lacked = 0, repaired = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const Table table = flatten(few_servers(random));
    const Stage stage = value_stage(table, Stage::kNoLimit);
    const Prices prices = best_prices(table, stage);
    Assignment plan = cheapest_choices(table, stage, zero_prices(table, stage), 1);
    const std::int64_t before = lack(table, stage, plan);
    repair_by_exchanges(table, stage, prices, 30, plan);
    const std::int64_t after = lack(table, stage, plan);
    EXPECT_LE(after, before) << "table " << i;
    lacked += before > 0;
    repaired += before > 0 && after == 0;
    if (after > 0) continue;
    const double held = plan.value(table);
    repair_by_exchanges(table, stage, prices, 30, plan);
    EXPECT_EQ(plan.value(table), held) << "table " << i;
  }
  EXPECT_GT(lacked, testing::tries(300) / 20);
  EXPECT_GT(5 * repaired, 4 * lacked);
}

TEST(PriceSearch, GroupedSearchIsOptimal) {
  Sampler random;
  int solved = 0;
  for (int i = 0; i < testing::tries(60); ++i) {
    const Table table = flatten(interchangeable_servers(random, 2 + i % 3, 8));
    const Stage stage = value_stage(table, 0);
    const double least = least_by_cards_left(table);
    if (least == kInfinity) continue;
    const Prices prices = best_prices(table, stage);
    const GroupedLimits limits = all_moves(1000, 1000);
    // Everybody's cheapest choice takes more than there is as a rule.
    Assignment plan = cheapest_choices(table, stage, prices, 1);
    const GroupedResult result = search_grouped(table, stage, prices, limits, plan);
    ASSERT_TRUE(result.finished) << "table " << i;
    ASSERT_TRUE(plan.is_feasible()) << "table " << i;
    ASSERT_FALSE(falls_short(stage, plan)) << "table " << i;
    // Around the first plan that holds the same search must find nothing better.
    EXPECT_NEAR(plan.value(table), least, kSlack) << "table " << i;
    EXPECT_FALSE(search_grouped(table, stage, prices, limits, plan).better) << "table " << i;
    ++solved;
  }
  EXPECT_GT(solved, testing::tries(60) / 4);
}

TEST(PriceSearch, GroupedSearchKeepsItsWorkLimit) {
  Sampler random;
  const Table table = flatten(interchangeable_servers(random, 3, 30));
  const Stage stage = value_stage(table, Stage::kNoLimit);
  const Prices prices = best_prices(table, stage);
  GroupedSearches searches(0, 1, 1);
  EXPECT_TRUE(searches.is_spent());
  Assignment plan = cheapest_choices(table, stage, prices, 1);
  const double before = plan.value(table);
  searches.settle(table, stage, prices, {-kInfinity, 0, 100, 3}, plan);
  EXPECT_EQ(plan.value(table), before);
}

}  // namespace
}  // namespace tonnage::price
