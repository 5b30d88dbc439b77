// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Differences between plans.
#include "tonnage/host/plan_diff.hpp"

#include <gtest/gtest.h>

namespace tonnage {
namespace {

AllocationClaims claims(const std::string& accelerator, std::int64_t replicas, std::int64_t batch,
                        double cost) {
  AllocationClaims c;
  c.accelerator = accelerator;
  c.num_replicas = replicas;
  c.max_batch = batch;
  c.cost_cents_per_hour = cost;
  return c;
}

TEST(PlanDiff, AddedRemovedChangedByName) {
  PlanClaims before, after;
  before.allocations = {{"b-same", claims("A", 1, 8, 10)},
                        {"c-gone", claims("A", 2, 8, 20)},
                        {"d-moved", claims("A", 3, 8, 30)}};
  after.allocations = {{"a-new", claims("B", 4, 16, 44)},
                       {"b-same", claims("A", 1, 8, 10)},
                       {"d-moved", claims("B", 1, 9, 11)},
                       {"e-new", claims("A", 1, 8, 10)}};
  const std::vector<PlanChange> want = {
      {"a-new", ChangeKind::kAdded, "", "B", 0, 4, 0, 16, 44},
      {"c-gone", ChangeKind::kRemoved, "A", "", 2, 0, 8, 0, -20},
      {"d-moved", ChangeKind::kChanged, "A", "B", 3, 1, 8, 9, -19},
      {"e-new", ChangeKind::kAdded, "", "A", 0, 1, 0, 8, 10}};
  EXPECT_EQ(diff_plans(before, after), want);
  EXPECT_TRUE(diff_plans(before, before).empty());
  EXPECT_EQ(diff_plans({}, after).size(), 4U);
  EXPECT_EQ(diff_plans(after, {}).size(), 4U);
}

TEST(PlanDiff, EachFieldAloneIsAChange) {
  PlanClaims before;
  before.allocations["s"] = claims("A", 1, 8, 10);
  for (const AllocationClaims& changed : {claims("B", 1, 8, 10), claims("A", 2, 8, 10),
                                          claims("A", 1, 9, 10), claims("A", 1, 8, 10.001)}) {
    PlanClaims after;
    after.allocations["s"] = changed;
    EXPECT_EQ(diff_plans(before, after).size(), 1U);
  }
}

TEST(PlanDiff, MetricsRoundingAndUnclaimedFieldsAreNoChange) {
  PlanClaims before, after;
  before.allocations["s"] = claims("A", 1, 8, 10);
  after.allocations["s"] = claims("A", 1, 8, 10 * (1 + 1e-12));
  after.allocations["s"].itl_average_ms = 3;
  EXPECT_TRUE(diff_plans(before, after).empty());
  after.allocations["s"].max_batch.reset();
  after.allocations["s"].cost_cents_per_hour.reset();
  EXPECT_TRUE(diff_plans(before, after).empty());
}

}  // namespace
}  // namespace tonnage
