// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The price solver and the exact one, compared with brute force on tiny tables and with greedy.
#include "tonnage/host/price_selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include "support/effort.hpp"
#include "support/seed.hpp"
#include "tests/host/select/table_cases.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/milp_selection.hpp"

namespace tonnage {
namespace {
TEST(Price, BoundsHoldAndProofsAreRightOnTinyTables) {
  std::mt19937_64 engine(testing::test_seed());
  int optimal = 0, proven = 0;
  constexpr int kTables = 1000;
  for (int i = 0; i < kTables; ++i) {
    OptionTable t = random_table(engine, 1 + i % 7, 1 + i % 3, 6);
    if (i / 7 % 2 == 1) t = with_uses(engine, std::move(t));
    const Selection got = select_price(t);
    const Outcome mine = outcome_of(t, got.choices);
    const Outcome best = by_brute_force(t);
    EXPECT_FALSE(worse(best, mine)) << "better than the best: table " << i;
    const bool same = !worse(mine, best);
    optimal += same;
    bool all_proven = true;
    for (const StageCertificate& stage : got.stages) {
      all_proven = all_proven && stage.proven;
      if (!all_proven) break;
      const double want = stage.priority == StageCertificate::kValueStage
                              ? best.value
                              : static_cast<double>(best.unserved.at(stage.priority));
      EXPECT_NEAR(stage.objective, want, 1e-6) << "a proof that is none: table " << i;
      EXPECT_LE(stage.lower_bound, want + 1e-6) << "table " << i;
    }
    proven += all_proven;
    if (all_proven) {
      EXPECT_TRUE(same) << "table " << i;
    }
  }
  std::printf("  %d of %d optimal, %d proven\n", optimal, kTables, proven);
  EXPECT_GT(optimal, kTables * 9 / 10);
}

TEST(Price, AnyStartPricesGiveValidPlans) {
  std::mt19937_64 engine(testing::test_seed());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (int i = 0; i < testing::tries(40); ++i) {
    const OptionTable t = random_table(engine, 6, 3, 6);
    const Selection want = select_price(t);
    const Outcome best = outcome_of(t, want.choices);
    const std::vector<std::vector<double>> starts{
        want.type_prices, {1e30, 0, 1e-30}, {kInfinity, std::nan(""), -5}, {1e308, 1e308, 1e308}};
    for (const std::vector<double>& start : starts) {
      PriceOptions options;
      options.start_prices = start;
      const Selection got = select_price(t, options);
      const Outcome mine = outcome_of(t, got.choices);
      if (want.stages.back().proven && got.stages.back().proven) {
        EXPECT_EQ(mine.unserved, best.unserved) << "table " << i;
        EXPECT_NEAR(mine.value, best.value, 1e-6) << "table " << i;
      }
      for (const double price : got.type_prices) EXPECT_TRUE(std::isfinite(price)) << "table " << i;
    }
  }
}

TEST(Price, NeverWorseThanGreedyAndTheSameForEveryThreadCount) {
  std::mt19937_64 engine(testing::test_seed());
  for (int i = 0; i < testing::tries(300); ++i) {
    const std::int64_t servers = 1 + static_cast<std::int64_t>(engine() % 60);
    OptionTable t = random_table(engine, servers, 4, servers);
    if (i % 2 == 1) t = with_uses(engine, std::move(t));
    PriceOptions options;
    options.num_threads = 1;
    options.policy = static_cast<SaturationPolicy>(i % 4);
    const Selection one = select_price(t, options);
    const Outcome greedy = outcome_of(t, select_greedy(t, SaturationPolicy::kNone, false));
    EXPECT_FALSE(worse(outcome_of(t, one.choices), greedy)) << "table " << i;
    options.num_threads = 7;
    EXPECT_EQ(select_price(t, options).choices, one.choices) << "table " << i;
  }
}

OptionTable generated(std::int64_t servers, std::int64_t accelerators, double tightness,
                      std::uint64_t seed) {
  GenerateOptions generate;
  generate.servers = servers;
  generate.accelerators = accelerators;
  generate.tightness = tightness;
  generate.seed = seed;
  const Problem problem = build_problem(System(generate_fleet(generate)));
  return build_options(problem, size_lines(problem));
}

TEST(Price, NeverWorseThanGreedyOnGeneratedFleets) {
  const std::uint64_t first = testing::test_seed();
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto servers = static_cast<std::int64_t>(10 + i % 20);
    const OptionTable t = generated(servers, static_cast<std::int64_t>(3 + i % 22),
                                    0.5 + 0.05 * static_cast<double>(i % 12), first + i);
    const Outcome greedy = outcome_of(t, select_greedy(t, SaturationPolicy::kNone, false));
    EXPECT_FALSE(worse(outcome_of(t, select_price(t).choices), greedy)) << "fleet " << i;
  }
  // A fleet whose prices are found to the last bit: the search for them must end there.
  const OptionTable exact = generated(30, 9, 0.5, 468);
  EXPECT_TRUE(std::isfinite(select_price(exact).stages.back().lower_bound));
}

// Several times the gaps that are recorded for fleets of this size.
constexpr double kMostGap = 0.03;

TEST(Price, GeneratedFleetsUnderScarcity) {
  for (const double tightness : {0.7, 0.95}) {
    const OptionTable t =
        generated(1000, GenerateOptions{}.accelerators, tightness, testing::test_seed());
    const Selection got = select_price(t);
    const Outcome mine = outcome_of(t, got.choices);
    const Outcome greedy = outcome_of(t, select_greedy(t, SaturationPolicy::kNone, false));
    EXPECT_FALSE(worse(mine, greedy));
    std::int64_t price_unserved = 0, greedy_unserved = 0;
    for (const auto& [priority, n] : mine.unserved) price_unserved += n;
    for (const auto& [priority, n] : greedy.unserved) greedy_unserved += n;
    ASSERT_FALSE(got.stages.empty());
    const StageCertificate& last = got.stages.back();
    EXPECT_LE(last.lower_bound, last.objective + 1e-6);
    double cost = 0;
    for (const Choice& choice : got.choices) {
      if (choice.option >= 0) cost += t.options[choice.option].cost;
    }
    EXPECT_LE(last.objective - last.lower_bound, kMostGap * cost);
    std::printf("  tightness %.2f: unserved %lld (greedy %lld), value %.0f, bound %.0f\n",
                tightness, static_cast<long long>(price_unserved),
                static_cast<long long>(greedy_unserved), last.objective, last.lower_bound);
  }
}

TEST(Price, NegativeBoundsProveNothing) {
  OptionTable t;
  t.capacity = {6, 4, 5};
  t.first = {0};
  struct Way {
    double value;
    std::int64_t cards;
    std::int32_t type;
  };
  const std::vector<std::vector<Way>> servers = {{{12, 1, 0}},
                                                 {{15, 1, 0}},
                                                 {{-19, 3, 1}, {-10, 3, 0}},
                                                 {{16, 2, 1}},
                                                 {{-7, 2, 2}},
                                                 {{-15, 2, 0}, {-12, 2, 0}, {-12, 1, 2}},
                                                 {{-11, 3, 2}, {-3, 1, 2}, {-2, 1, 1}}};
  for (const auto& ways : servers) {
    for (const Way& way : ways) {
      t.options.push_back({way.value, way.value, 10, way.cards, 1, 0, way.type, way.type});
    }
    t.first.push_back(std::ssize(t.options));
    t.priority.push_back(1);
  }
  const Selection got = select_price(t);
  EXPECT_EQ(got.stages.front().lower_bound, 0);
  // Only an exact search is sure to find the one plan that serves everybody.
  if (has_milp()) {
    EXPECT_EQ(outcome_of(t, got.choices).unserved.at(1), 0);
  }
}

TEST(Price, ManyInterchangeableServers) {
  OptionTable t;
  t.first = {0};
  t.capacity = {100000, 50000};
  for (std::int64_t s = 0; s < 300000; ++s) {
    for (const std::int32_t type : {0, 1}) {
      t.options.push_back({5.0 + type, 5.0 + type, 5, 1, 2 - type, 2 * s + type, type, type});
    }
    t.first.push_back(std::ssize(t.options));
    t.priority.push_back(1);
  }
  const Selection got = select_price(t);
  const Outcome o = outcome_of(t, got.choices);
  EXPECT_EQ(o.unserved.at(1), 200000);
  EXPECT_TRUE(got.stages.front().proven);
}

TEST(Price, DegenerateTables) {
  OptionTable empty;
  empty.first = {0};
  empty.capacity = {3};
  EXPECT_TRUE(select_price(empty).choices.empty());
  OptionTable none;
  none.first = {0, 0, 0};
  none.priority = {1, 2};
  EXPECT_EQ(select_price(none).choices, std::vector<Choice>(2));
  OptionTable clones;
  clones.first = {0};
  clones.capacity = {70};
  for (std::int64_t s = 0; s < 100; ++s) {
    clones.options.push_back({5, 5, 5, 1, 1, s, 0, 0});
    clones.first.push_back(s + 1);
    clones.priority.push_back(1);
  }
  EXPECT_EQ(outcome_of(clones, select_price(clones).choices).unserved.at(1), 30);
  clones.capacity = {0};
  EXPECT_EQ(outcome_of(clones, select_price(clones).choices).unserved.at(1), 100);
}

}  // namespace
}  // namespace tonnage
