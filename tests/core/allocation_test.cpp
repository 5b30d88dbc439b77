// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Allocations of a (server, accelerator) pair: what they hold, scaling, reallocation, transition
// penalty; their differences and totals.
#include "tonnage/core/allocation.hpp"

#include <gtest/gtest.h>

#include "object_samples.hpp"

namespace tonnage {
namespace {

Allocation held(const std::string& accelerator, std::int64_t replicas, double cost) {
  return Allocation::from_spec({accelerator, replicas, 64, cost, 25, 150, {}});
}

class ApiAllocation : public SampleSystemTest {};

TEST_F(ApiAllocation, SettersChangeOneFieldEach) {
  const Allocation before = create();
  Allocation a = before;
  a.set_num_replicas(17);
  a.set_max_batch(5);
  a.set_cost(1.5);
  a.set_value(-2.5);
  EXPECT_EQ(a.num_replicas(), 17);
  EXPECT_EQ(a.max_batch(), 5);
  EXPECT_EQ(a.cost_cents_per_hour(), 1.5);
  EXPECT_EQ(a.value(), -2.5);
  EXPECT_EQ(a.accelerator(), before.accelerator());
  EXPECT_EQ(a.metrics(), before.metrics());
  AllocationMetrics metrics = before.metrics();
  metrics.itl_ms = 1;
  a.set_metrics(metrics);
  EXPECT_EQ(a.itl_ms(), 1);
}

TEST_F(ApiAllocation, ScaleFollowsTheLoadOnTheSameAccelerator) {
  const Allocation before = create("B");
  set_rate(6000);
  const auto scaled = before.scale(system_, chat());
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->first, create("B"));
  EXPECT_EQ(scaled->first.value(), scaled->first.cost_cents_per_hour());
  EXPECT_GT(scaled->second, 0);
  EXPECT_EQ(scaled->second, scaled->first.num_replicas() - before.num_replicas());
  set_rate(600);
  const auto back = scaled->first.scale(system_, chat());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->first, before);
  EXPECT_EQ(back->second, -scaled->second);
}

TEST_F(ApiAllocation, ScaleIsAbsentWhenTheAcceleratorCannotServe) {
  const Allocation before = create("A");
  system_.find_service_class("gold")->set_target({"llm", 1, 1, 0});
  EXPECT_FALSE(before.scale(system_, chat()));
  EXPECT_FALSE(Allocation().scale(system_, chat())) << "no accelerator to scale on";
}

TEST_F(ApiAllocation, ScaleToZeroLoadIsTheEmptyAllocation) {
  ServerSpec spec = sample_server();
  spec.min_num_replicas = 0;
  system_.set_server(spec);
  const Allocation before = create();
  set_rate(0);
  const auto scaled = before.scale(system_, chat());
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->first, Allocation());
  EXPECT_EQ(scaled->second, -before.num_replicas());
}

TEST_F(ApiAllocation, ReallocateTakesTheLeastValueOverAllAccelerators) {
  for (const double cost_of_a : {1.0, 1e6}) {
    AcceleratorSpec a = system_.find_accelerator("A")->spec();
    a.cost_cents_per_hour = cost_of_a;
    system_.set_accelerator(a);
    const auto best = Allocation::reallocate(system_, chat());
    ASSERT_TRUE(best);
    const std::string cheapest = cost_of_a == 1 ? "A" : "B";
    EXPECT_EQ(best->second, cheapest);
    EXPECT_EQ(best->first, create(cheapest));
  }
}

TEST_F(ApiAllocation, ReallocateIgnoresKeepAccelerator) {
  ServerSpec spec = sample_server();
  spec.keep_accelerator = true;
  spec.current_alloc.accelerator = "B";
  system_.set_server(spec);
  AcceleratorSpec a = system_.find_accelerator("A")->spec();
  a.cost_cents_per_hour = 1;
  system_.set_accelerator(a);
  const auto best = Allocation::reallocate(system_, chat());
  ASSERT_TRUE(best);
  EXPECT_EQ(best->second, "A");
}

TEST_F(ApiAllocation, ReallocateBreaksTiesByName) {
  // Three replicas at 0.1 cost a rounding error more than one at 0.3.
  system_ = System();
  SystemSpec spec = sample_spec();
  spec.accelerators[0].cost_cents_per_hour = 0.1;
  spec.accelerators[1].cost_cents_per_hour = 0.3;
  spec.models[0].acc_count = 3;
  spec.models[0].perf_parms = spec.models[1].perf_parms;
  spec.models[0].max_batch_size = spec.models[1].max_batch_size;
  system_.set_from_spec(spec);
  ASSERT_GT(create("A").cost_cents_per_hour(), create("B").cost_cents_per_hour());
  EXPECT_EQ(Allocation::reallocate(system_, chat())->second, "A");
}

TEST_F(ApiAllocation, ReallocateIsAbsentWhenNothingIsFeasible) {
  system_.find_service_class("gold")->set_target({"llm", 1, 1, 0});
  EXPECT_FALSE(Allocation::reallocate(system_, chat()));
}

TEST_F(ApiAllocation, SaturatedBeyondWhatAllReplicasCarry) {
  const Allocation a = create();
  const double carries = static_cast<double>(a.num_replicas()) * a.max_rpm();
  EXPECT_GE(carries, 600);
  EXPECT_FALSE(a.saturated(carries));
  EXPECT_TRUE(a.saturated(carries * 1.0001));
}

TEST_F(ApiAllocation, CloneIsIndependent) {
  const Allocation a = create();
  Allocation copy = a;
  EXPECT_EQ(copy, a);
  copy.set_num_replicas(a.num_replicas() + 1);
  EXPECT_NE(copy, a);
}

TEST_F(ApiAllocation, GoesToAndFromAllocationData) {
  const Allocation a = create();
  const AllocationSpec spec = a.to_spec(sample_load());
  EXPECT_EQ(spec, (AllocationSpec{"A", a.num_replicas(), a.max_batch(), a.cost_cents_per_hour(),
                                  a.itl_ms(), a.ttft_ms(), sample_load()}));
  const Allocation back = Allocation::from_spec(spec);
  EXPECT_EQ(back.to_spec(sample_load()), spec);
  EXPECT_EQ(back.value(), back.cost_cents_per_hour());
  EXPECT_EQ(back.rho(), 0) << "not part of the data";
}

TEST_F(ApiAllocation, DescribesItselfInOneLine) {
  const std::string text = held("A", 3, 900).to_string();
  for (const auto* part : {"3 x A", "batch 64", "900.00", "ITL 25.00 ms", "TTFT 150.00 ms"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(Allocation().to_string(), "empty allocation");
}

struct PenaltyCase {
  Allocation from;
  Allocation to;
  double penalty;
};

TEST_F(ApiAllocation, TransitionPenaltyTable) {
  const PenaltyCase table[] = {
      {held("A", 2, 200), held("A", 2, 200), 0},
      {held("A", 2, 200), held("A", 2, 500), 0},  // as many replicas: nothing changes
      {held("A", 2, 200), held("A", 5, 500), 300},
      {held("A", 5, 500), held("A", 2, 200), -300},
      {held("A", 2, 200), held("B", 2, 200), 40},
      {held("A", 2, 200), held("B", 1, 500), 370},
      {held("B", 1, 500), held("A", 2, 200), -230},
      {Allocation(), Allocation(), 0},
      {Allocation(), held("A", 2, 200), 220},
      {held("A", 2, 200), Allocation(), -180},
      {held("", 3, 100), Allocation(), -100},  // both names empty, but replica counts differ
  };
  for (const PenaltyCase& c : table) {
    EXPECT_DOUBLE_EQ(c.from.transition_penalty(c.to), c.penalty)
        << c.from.to_string() << " -> " << c.to.to_string();
  }
}

TEST(ApiAllocationDiff, NoneWhenBothAreAbsent) {
  EXPECT_FALSE(AllocationDiff::between(nullptr, nullptr));
}

TEST(ApiAllocationDiff, FromTwoAllocations) {
  const Allocation before = held("A", 2, 200), after = held("B", 5, 450);
  const auto diff = AllocationDiff::between(&before, &after);
  ASSERT_TRUE(diff);
  EXPECT_EQ(*diff, (AllocationDiff{"A", "B", 2, 5, 250}));
}

TEST(ApiAllocationDiff, AnAbsentOrEmptyAllocationIsNone) {
  const Allocation a = held("A", 2, 200), empty;
  EXPECT_EQ(AllocationDiff::between(nullptr, &a), (AllocationDiff{"none", "A", 0, 2, 200}));
  EXPECT_EQ(AllocationDiff::between(&a, nullptr), (AllocationDiff{"A", "none", 2, 0, -200}));
  EXPECT_EQ(AllocationDiff::between(&a, &empty), (AllocationDiff{"A", "none", 2, 0, -200}));
  EXPECT_EQ(AllocationDiff::between(nullptr, &empty), (AllocationDiff{"none", "none", 0, 0, 0}));
}

TEST(ApiAllocationDiff, DescribesItself) {
  const AllocationDiff diff{"A", "none", 2, 0, -200};
  EXPECT_EQ(diff.to_string(), "2 x A -> 0 x none, cost -200.00 cents/hour");
}

TEST(ApiAllocationByType, DescribesItself) {
  const AllocationByType total{"a-card", 12, 100, 3600};
  EXPECT_EQ(total.to_string(), "a-card: 12 cards of 100, 3600.00 cents/hour");
}

}  // namespace
}  // namespace tonnage
