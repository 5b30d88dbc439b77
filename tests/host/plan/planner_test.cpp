// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The planner: determinism, reasons, partial allocations, totals, the Manager.
#include "tonnage/host/planner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "support/effort.hpp"
#include "support/fleet.hpp"
#include "support/seed.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/generate.hpp"

namespace tonnage {
namespace {

// Two types of cards, one model, three servers of falling priority.
SystemSpec small_spec() {
  SystemSpec spec;
  spec.accelerators = {{"A", "a-card", 1, 80, 2000, {100, 400, 300, 0.6}, 300},
                       {"B", "b-card", 2, 160, 4000, {150, 800, 600, 0.5}, 500}};
  spec.capacities = {{"a-card", 100}, {"b-card", 100}};
  spec.models = {{"llm", "A", 1, 64, 512, {12, 0.05, 0.0005}, 0},
                 {"llm", "B", 1, 128, 512, {8, 0.03, 0.0003}, 0}};
  spec.service_classes = {{"gold", 1, {{"llm", 40, 1000, 0}}},
                          {"free", 50, {{"llm", 80, 4000, 0}}}};
  for (const auto* name : {"s1", "s2", "s3"}) {
    ServerSpec s;
    s.name = name;
    s.class_name = s.name == "s1" ? "gold" : "free";
    s.model = "llm";
    s.max_queue_size = 64;
    s.current_alloc.load = {600, 0, 128, 512};
    spec.servers.push_back(s);
  }
  return spec;
}

void expect_same_plan(const Plan& a, const Plan& b) {
  EXPECT_EQ(a.allocations, b.allocations);
  EXPECT_EQ(a.unallocated, b.unallocated);
  EXPECT_EQ(a.summary.types, b.summary.types);
  EXPECT_EQ(a.summary.priorities, b.summary.priorities);
  EXPECT_EQ(a.summary.total_cost, b.summary.total_cost);
}

TEST(Planner, TimeLimitsAreFiniteAndNotNegative) {
  const SystemSpec spec = testing::small_fleet(1.0, 3);
  const System system(spec);
  for (const double limit : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    PlannerOptions options;
    options.time_limit_s = limit;
    EXPECT_THROW((void)make_plan(system, spec.optimizer, options), Error);
  }
}

TEST(Planner, SamePlanForAnyOrderAndThreadCount) {
  std::mt19937_64 engine(testing::test_seed());
  GenerateOptions options;
  options.tightness = 0.8;
  for (const SaturationPolicy policy :
       {SaturationPolicy::kNone, SaturationPolicy::kPriorityExhaustive,
        SaturationPolicy::kPriorityRoundRobin, SaturationPolicy::kRoundRobin}) {
    // Policies only share out what is left: one fleet is large enough for all of the search.
    options.servers = policy == SaturationPolicy::kNone ? testing::tries(300) : 30;
    options.seed = engine();
    SystemSpec spec = generate_fleet(options);
    spec.optimizer.saturation_policy = policy;
    PlannerOptions one;
    one.num_threads = 1;
    const Plan want = make_plan(System(spec), spec.optimizer, one);
    EXPECT_FALSE(want.allocations.empty());
    for (const int threads : {2, 7}) {
      std::shuffle(spec.servers.begin(), spec.servers.end(), engine);
      std::shuffle(spec.models.begin(), spec.models.end(), engine);
      std::shuffle(spec.accelerators.begin(), spec.accelerators.end(), engine);
      std::shuffle(spec.capacities.begin(), spec.capacities.end(), engine);
      std::shuffle(spec.service_classes.begin(), spec.service_classes.end(), engine);
      PlannerOptions several;
      several.num_threads = threads;
      expect_same_plan(make_plan(System(spec), spec.optimizer, several), want);
    }
  }
}

TEST(Planner, NamesEveryReason) {
  SystemSpec spec = small_spec();
  spec.servers[0].class_name = "silver";
  spec.servers[1].model = "other";
  spec.servers[2].keep_accelerator = true;
  spec.servers[2].current_alloc.accelerator = "C";
  const Plan plan = make_plan(System(spec), spec.optimizer);
  ASSERT_EQ(plan.unallocated.size(), 3u);
  EXPECT_EQ(plan.unallocated[0].reason, Reason::kUnknownClass);
  EXPECT_NE(plan.unallocated[0].detail.find("silver"), std::string::npos);
  EXPECT_EQ(plan.unallocated[1].reason, Reason::kUnknownModel);
  EXPECT_NE(plan.unallocated[1].detail.find("other"), std::string::npos);
  EXPECT_EQ(plan.unallocated[2].reason, Reason::kNoCandidates);
  EXPECT_FALSE(plan.complete());
}

TEST(Planner, ReportsHowFarTheNearestAcceleratorMisses) {
  SystemSpec spec = small_spec();
  spec.service_classes[0].model_targets[0].slo_itl_ms = 1;
  const Plan plan = make_plan(System(spec), spec.optimizer);
  ASSERT_EQ(plan.unallocated.size(), 1u);
  EXPECT_EQ(plan.unallocated[0].reason, Reason::kNoCandidates);
  EXPECT_NE(plan.unallocated[0].detail.find("B: ITL is at best"), std::string::npos)
      << plan.unallocated[0].detail;
}

TEST(Planner, PartialAllocationsScaleAndStateTrueMetrics) {
  SystemSpec spec = small_spec();
  for (ServerSpec& s : spec.servers) s.current_alloc.load.arrival_rate_per_min = 6000;
  spec.capacities = {{"a-card", 12}, {"b-card", 0}};
  spec.optimizer.saturation_policy = SaturationPolicy::kPriorityExhaustive;
  const Plan plan = make_plan(System(spec), spec.optimizer);
  ASSERT_EQ(plan.allocations.size(), 1u);
  const PlannedServer& p = plan.allocations[0];
  EXPECT_EQ(p.server, "s1");
  EXPECT_TRUE(p.partial);
  EXPECT_EQ(p.allocation.num_replicas, 12);
  EXPECT_GT(p.replicas_needed, 12);
  EXPECT_DOUBLE_EQ(p.allocation.cost_cents_per_hour, 12 * 300.0);
  EXPECT_NEAR(p.value / p.allocation.cost_cents_per_hour, 1.1, 1e-12);
  EXPECT_GT(p.metrics.drop_probability, 0.01) << "more load than the replicas can carry";
  EXPECT_GT(p.metrics.ttft_ms, 1000);
  EXPECT_EQ(plan.summary.priorities[0].partial, 1);
  EXPECT_EQ(plan.summary.priorities[1].unserved, 2);
  EXPECT_EQ(plan.unallocated[0].reason, Reason::kNoCapacity);
}

TEST(Planner, ZeroLoadWithoutMinimumIsServedByTheEmptyAllocation) {
  SystemSpec spec = small_spec();
  spec.servers[1].current_alloc.load.arrival_rate_per_min = 0;
  spec.capacities.clear();
  const Plan plan = make_plan(System(spec), spec.optimizer);
  ASSERT_EQ(plan.allocations.size(), 1u);
  EXPECT_EQ(plan.allocations[0].server, "s2");
  EXPECT_EQ(plan.allocations[0].allocation.accelerator, "");
  EXPECT_EQ(plan.allocations[0].allocation.num_replicas, 0);
  EXPECT_FALSE(plan.allocations[0].partial);
  EXPECT_EQ(plan.unallocated.size(), 2u) << "no capacity entry: no cards";
}

TEST(Planner, TotalsAddUp) {
  const SystemSpec spec = small_spec();
  const Plan plan = make_plan(System(spec), spec.optimizer);
  EXPECT_TRUE(plan.complete());
  double cost = 0;
  std::int64_t a_cards = 0, b_cards = 0;
  for (const PlannedServer& p : plan.allocations) {
    cost += p.allocation.cost_cents_per_hour;
    (p.allocation.accelerator == "A" ? a_cards : b_cards) +=
        p.allocation.num_replicas * (p.allocation.accelerator == "A" ? 1 : 2);
  }
  EXPECT_DOUBLE_EQ(plan.summary.total_cost, cost);
  EXPECT_EQ(plan.summary.types[0].used, a_cards);
  EXPECT_EQ(plan.summary.types[1].used, b_cards);
  EXPECT_DOUBLE_EQ(plan.summary.types[0].cost + plan.summary.types[1].cost, cost);
}

TEST(Planner, CandidatesCoverEveryPairOnRequest) {
  SystemSpec spec = small_spec();
  spec.models.pop_back();
  const System system(spec);
  EXPECT_EQ(list_candidates(system, {}).size(), 3u);
  CandidateQuery all;
  all.infeasible = true;
  const auto pairs = list_candidates(system, all);
  EXPECT_EQ(pairs.size(), 6u);
  EXPECT_EQ(std::count_if(pairs.begin(), pairs.end(),
                          [](const Candidate& c) { return c.reason == Reason::kNoPerfData; }),
            3);
  CandidateQuery one;
  one.server = "s2";
  one.accelerator = "A";
  EXPECT_EQ(list_candidates(system, one).size(), 1u);
  one.server = "nobody";
  EXPECT_THROW((void)list_candidates(system, one), Error);
}

TEST(Planner, ManagerAppliesThePlan) {
  SystemSpec spec = small_spec();
  spec.servers[2].model = "other";
  System system(spec);
  Manager manager(system, spec.optimizer);
  manager.optimize();
  EXPECT_GT(manager.solution_time_s(), 0);
  ASSERT_NE(system.find_server("s1")->allocation(), nullptr);
  EXPECT_EQ(system.find_server("s3")->allocation(), nullptr);
  EXPECT_EQ(manager.unallocated(), std::vector<std::string>{"s3"});
  const auto diffs = manager.diffs();
  ASSERT_EQ(diffs.size(), 2u) << "s3 has neither an old nor a new allocation";
  EXPECT_EQ(diffs.at("s1").old_accelerator, "none");
  EXPECT_EQ(diffs.at("s1").new_num_replicas,
            system.find_server("s1")->allocation()->num_replicas());
  // Applied and planned again, nothing changes any more.
  for (const auto* name : {"s1", "s2"}) system.find_server(name)->apply_desired_allocation();
  manager.optimize();
  for (const auto& [name, diff] : manager.diffs()) EXPECT_EQ(diff.cost_difference, 0) << name;
  EXPECT_EQ(manager.plan().summary.total_value, 0);
}

}  // namespace
}  // namespace tonnage
