// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact selection: against all plans of tiny tables, under a time limit, and where a build has
// none.
#include "tonnage/host/milp_selection.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/seed.hpp"
#include "tests/host/select/table_cases.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage {
namespace {

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

// Bounds of a search cut short hold for the plan of a longer one. Stages compare only while the
// levels above them are the same.
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
  const Selection cut_short = select_milp(t, options);
  options.time_limit_s = 2;
  const Selection longer = select_milp(t, options);
  const Outcome priced = outcome_of(t, select_price(t).choices);
  EXPECT_FALSE(worse(outcome_of(t, cut_short.choices), priced));
  EXPECT_FALSE(worse(outcome_of(t, longer.choices), priced));
  ASSERT_EQ(cut_short.stages.size(), longer.stages.size());
  for (std::size_t k = 0; k < longer.stages.size(); ++k) {
    EXPECT_LE(cut_short.stages[k].lower_bound, longer.stages[k].objective) << "stage " << k;
    EXPECT_LE(longer.stages[k].lower_bound, cut_short.stages[k].objective) << "stage " << k;
    if (cut_short.stages[k].objective != longer.stages[k].objective) break;
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

}  // namespace
}  // namespace tonnage
