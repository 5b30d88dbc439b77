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
#include "tonnage/core/system.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/milp_selection.hpp"

namespace tonnage {
namespace {

OptionTable random_table(std::mt19937_64& engine, std::int64_t servers, std::int32_t types,
                         std::int64_t most_capacity) {
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  OptionTable t;
  for (std::int32_t k = 0; k < types; ++k) t.capacity.push_back(whole(0, most_capacity));
  t.first.push_back(0);
  for (std::int64_t s = 0; s < servers; ++s) {
    const std::int64_t count = whole(0, 3);
    double value = static_cast<double>(whole(-20, 20));
    if (whole(0, 15) == 0) t.options.push_back({value, value, 0, 0, 0, 0, -1, -1});  // no cards
    for (std::int64_t i = 0; i < count; ++i) {
      const auto type = static_cast<std::int32_t>(whole(0, types - 1));
      t.options.push_back({value, value, 10, whole(1, 3), 1, i, type, type});
      value += static_cast<double>(whole(0, 9));
    }
    t.first.push_back(static_cast<std::int64_t>(t.options.size()));
    t.priority.push_back(static_cast<std::int32_t>(whole(1, 2)));
  }
  return t;
}

// The same with options that take more than cards of one type: of another type, or of one or two
// limits.
OptionTable with_uses(std::mt19937_64& engine, OptionTable t) {
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  const auto types = static_cast<std::int32_t>(t.capacity.size());
  const std::int64_t limits = whole(0, 2);
  for (std::int64_t i = 0; i < limits; ++i) {
    t.limits.push_back(whole(0, 1) == 0 ? whole(0, t.num_servers())
                                        : whole(0, 4000 * t.num_servers()));
  }
  for (Option& o : t.options) {
    o.first_use = std::ssize(t.uses);
    if (types > 1 && o.type >= 0 && whole(0, 3) == 0) {
      const std::int32_t other = (o.type + 1) % types;
      t.uses.push_back({other, whole(1, 2), 1000, 0});
    }
    for (std::int32_t l = 0; l < limits; ++l) {
      const std::int64_t most = t.limits[l] <= t.num_servers() ? 1 : 5000;
      t.uses.push_back({types + l, whole(0, most), whole(0, 1), whole(0, most)});
    }
    o.num_uses = static_cast<std::int32_t>(std::ssize(t.uses) - o.first_use);
  }
  return t;
}

// Everything a table has.
std::vector<std::int64_t> resources_of(const OptionTable& t) {
  std::vector<std::int64_t> all = t.capacity;
  all.insert(all.end(), t.limits.begin(), t.limits.end());
  return all;
}

void take(const OptionTable& t, const Choice& choice, std::int64_t sign,
          std::vector<std::int64_t>& left) {
  const Option& o = t.options[choice.option];
  if (o.type >= 0) left[o.type] -= sign * choice.num_replicas * o.cards_per_replica;
  for (std::int64_t u = o.first_use; u < o.first_use + o.num_uses; ++u) {
    const Use& use = t.uses[u];
    std::int64_t amount = use.whole;
    if (choice.num_replicas < o.num_replicas) {
      amount = choice.num_replicas > 0 ? use.fixed + choice.num_replicas * use.per_replica : 0;
    }
    left[use.resource] -= sign * amount;
  }
}

struct Outcome {
  std::map<std::int32_t, std::int64_t> unserved;  // by priority, of servers with options
  double value = 0;
};

Outcome outcome_of(const OptionTable& t, const std::vector<Choice>& choices) {
  Outcome o;
  std::vector<std::int64_t> left = resources_of(t);
  for (std::int64_t s = 0; s < t.num_servers(); ++s) {
    if (t.first[s] == t.first[s + 1]) continue;
    const Choice& c = choices[s];
    if (c.option >= 0) take(t, c, 1, left);
    std::int64_t& unserved = o.unserved[t.priority[s]];
    if (c.option < 0 || c.num_replicas < t.options[c.option].num_replicas) {
      ++unserved;
      continue;
    }
    const Option& option = t.options[c.option];
    o.value += option.objective;
  }
  for (const std::int64_t l : left) EXPECT_GE(l, 0) << "more taken than there is";
  return o;
}

bool worse(const Outcome& a, const Outcome& b) {
  for (const auto& [priority, unserved] : b.unserved) {
    const std::int64_t mine = a.unserved.at(priority);
    if (mine != unserved) return mine > unserved;
  }
  return a.value > b.value + 1e-6;
}

Outcome by_brute_force(const OptionTable& t) {
  Outcome best;
  bool any = false;
  std::vector<Choice> choices(static_cast<std::size_t>(t.num_servers()));
  std::vector<std::int64_t> left = resources_of(t);
  const std::function<void(std::int64_t)> visit = [&](std::int64_t s) {
    if (s == t.num_servers()) {
      const Outcome o = outcome_of(t, choices);
      if (!any || worse(best, o)) best = o;
      any = true;
      return;
    }
    choices[s] = {};
    visit(s + 1);
    for (std::int64_t i = t.first[s]; i < t.first[s + 1]; ++i) {
      const Option& option = t.options[i];
      choices[s] = {i, option.num_replicas};
      take(t, choices[s], 1, left);
      if (*std::min_element(left.begin(), left.end()) >= 0) visit(s + 1);
      take(t, choices[s], -1, left);
    }
    choices[s] = {};
  };
  visit(0);
  return best;
}

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
    std::printf("  tightness %.2f: unserved %lld (greedy %lld), value %.0f, bound %.0f\n",
                tightness, static_cast<long long>(price_unserved),
                static_cast<long long>(greedy_unserved), last.objective, last.lower_bound);
  }
}

TEST(Milp, IsTheBestOfAllPlans) {
  if (!has_milp()) GTEST_SKIP() << "this build has no exact solver";
  std::mt19937_64 engine(testing::test_seed());
  for (int i = 0; i < 1500; ++i) {
    OptionTable t = random_table(engine, 1 + i % 7, 1 + i % 3, 6);
    if (i / 7 % 2 == 1) t = with_uses(engine, std::move(t));
    MilpOptions options;
    options.num_threads = 1 + i % 2;
    const Selection got = select_milp(t, options);
    const Outcome mine = outcome_of(t, got.choices);
    const Outcome best = by_brute_force(t);
    EXPECT_FALSE(worse(mine, best)) << "table " << i;
    EXPECT_FALSE(worse(best, mine)) << "better than the best: table " << i;
    for (const StageCertificate& stage : got.stages) {
      EXPECT_TRUE(stage.proven) << "table " << i << " class " << stage.priority;
      const double want = stage.priority == StageCertificate::kValueStage
                              ? best.value
                              : static_cast<double>(best.unserved.at(stage.priority));
      EXPECT_NEAR(stage.objective, want, 1e-6) << "table " << i;
      EXPECT_LE(stage.lower_bound, want + 1e-6) << "table " << i;
    }
  }
}

TEST(Milp, TimeLimitLeavesAPlanAndABound) {
  if (!has_milp()) GTEST_SKIP() << "this build has no exact solver";
  GenerateOptions generate;
  generate.servers = 400;
  generate.tightness = 0.7;
  generate.seed = testing::test_seed();
  const Problem problem = build_problem(System(generate_fleet(generate)));
  const OptionTable t = build_options(problem, size_lines(problem));
  MilpOptions options;
  options.time_limit_s = 0.05;
  const Selection got = select_milp(t, options);
  EXPECT_FALSE(worse(outcome_of(t, got.choices), outcome_of(t, select_price(t).choices)));
  for (const StageCertificate& stage : got.stages) {
    EXPECT_LE(stage.lower_bound, stage.objective);
    EXPECT_EQ(stage.proven, stage.lower_bound == stage.objective);
  }
}

TEST(Milp, RefusedWhereTheBuildHasNone) {
  if (has_milp()) GTEST_SKIP() << "this build has an exact solver";
  OptionTable t;
  t.first = {0};
  try {
    (void)select_milp(t);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_NE(std::string(e.what()).find("CBC"), std::string::npos);
  }
}

// Everybody can be served, though the prices prove a little less than nothing.
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
