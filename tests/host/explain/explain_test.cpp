// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Explanations and sensitivity: they agree with the plan that is made, and every server has a
// reason.
#include "tonnage/host/explain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "support/fleet.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/sensitivity.hpp"

namespace tonnage {
namespace {

TEST(Explain, DescribesThePlanThatIsMade) {
  int helped = 0;
  for (const Solver solver : {Solver::kPrice, Solver::kGreedy, Solver::kUnlimited}) {
    SCOPED_TRACE(to_string(solver));
    const SystemSpec spec = testing::small_fleet(0.6, 120, 8);
    const System system(spec);
    PlannerOptions options;
    options.solver = solver;
    const Plan plan = make_plan(system, spec.optimizer, options);
    std::map<std::string, const PlannedServer*> planned;
    for (const PlannedServer& p : plan.allocations) planned[p.server] = &p;
    const std::vector<Explanation> all = explain_plan(system, spec.optimizer, "", options);
    ASSERT_EQ(all.size(), spec.servers.size());
    for (const Explanation& e : all) {
      SCOPED_TRACE(e.server);
      EXPECT_FALSE(e.reason.empty());
      EXPECT_TRUE(
          std::is_sorted(e.options.begin(), e.options.end(),
                         [](const auto& a, const auto& b) { return a.value < b.value - 1e-6; }));
      const auto chosen = std::find_if(e.options.begin(), e.options.end(),
                                       [](const ExplainedOption& o) { return o.chosen; });
      const auto it = planned.find(e.server);
      ASSERT_EQ(chosen != e.options.end(), it != planned.end());
      if (it == planned.end()) {
        EXPECT_EQ(e.outcome, "nothing");
        helped += !e.would_help.empty();
        continue;
      }
      EXPECT_EQ(chosen->accelerator, it->second->allocation.accelerator);
      EXPECT_EQ(chosen->cards_lacking == 0, !it->second->partial);
      if (solver == Solver::kPrice) {
        ASSERT_TRUE(chosen->priced_value);
        EXPECT_GE(*chosen->priced_value, chosen->value);
      }
    }
    const auto one = explain_plan(system, spec.optimizer, spec.servers[3].name, options);
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].server, spec.servers[3].name);
  }
  EXPECT_GT(helped, 0);
}

TEST(Explain, RefusesUnknownServers) {
  const SystemSpec spec = testing::small_fleet(1, 120, 8);
  try {
    (void)explain_plan(System(spec), spec.optimizer, "nobody");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
  }
}

TEST(Sensitivity, TheMiddleIsThePlan) {
  const SystemSpec spec = testing::small_fleet(0.8, 120, 8);
  SensitivityOptions options;
  options.planner.solver = Solver::kGreedy;
  const Plan plan = make_plan(System(spec), spec.optimizer, options.planner);
  const std::vector<SensitivityPoint> points = analyze_sensitivity(spec, options);
  ASSERT_EQ(points.size(), 5 * (spec.capacities.size() + 2));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const SensitivityPoint& p = points[i];
    SCOPED_TRACE(std::string(to_string(p.axis)) + " " + p.type + " " + std::to_string(p.scale));
    EXPECT_EQ(p.served + p.partial + p.unserved, std::ssize(spec.servers));
    if (p.scale == 1) {
      EXPECT_EQ(p.total_cost, plan.summary.total_cost);
      EXPECT_EQ(p.total_value, plan.summary.total_value);
    }
  }
}

TEST(Sensitivity, RefusesInvalidScales) {
  for (const double scale : {0.0, -1.0, 101.0, std::numeric_limits<double>::quiet_NaN()}) {
    SensitivityOptions options;
    options.scales = {scale};
    EXPECT_THROW((void)analyze_sensitivity(testing::small_fleet(1, 120, 8), options), Error)
        << scale;
  }
}

}  // namespace
}  // namespace tonnage
