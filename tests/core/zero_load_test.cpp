// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Zero load: servers without requests, or whose requests have no output.
#include <gtest/gtest.h>

#include <cstdint>

#include "object_samples.hpp"

namespace tonnage {
namespace {

class ApiZeroLoad : public SampleSystemTest {
 protected:
  // The server chat without load.
  void make_idle(std::int64_t min_replicas, std::int64_t max_batch_size = 0) {
    ServerSpec spec = sample_server();
    spec.min_num_replicas = min_replicas;
    spec.max_batch_size = max_batch_size;
    spec.current_alloc.load.arrival_rate_per_min = 0;
    system_.set_server(spec);
  }
};

TEST_F(ApiZeroLoad, KeepsTheMinimumReplicasReady) {
  make_idle(3);
  const Allocation a = create("A");
  EXPECT_EQ(a.accelerator(), "A");
  EXPECT_EQ(a.num_replicas(), 3);
  EXPECT_EQ(a.max_batch(), 64);
  EXPECT_DOUBLE_EQ(a.cost_cents_per_hour(), 3 * 2 * 300.0);
  EXPECT_DOUBLE_EQ(a.itl_ms(), 12 + 0.05);
  EXPECT_DOUBLE_EQ(a.ttft_ms(), 12 + 0.05 + 0.0005 * 64);
  EXPECT_DOUBLE_EQ(a.max_arrival_rate_per_replica(),
                   64 / (12 + 0.05 + 0.0005 * 64 + 12 + 0.05 * 64));
  EXPECT_EQ(a.rho(), 0);
  EXPECT_DOUBLE_EQ(a.metrics().power_w, 3 * 2 * 100.0) << "idle";
}

TEST_F(ApiZeroLoad, BatchOfTheServerComesFirst) {
  make_idle(1, 7);
  EXPECT_EQ(create("A").max_batch(), 7);
}

TEST_F(ApiZeroLoad, BatchOfTheDataIsNotRescaled) {
  make_idle(1);
  LoadSpec load = chat().load();
  load.avg_out_tokens = 128;  // a batch of 256 under load
  chat().set_load(load);
  EXPECT_EQ(create("A").max_batch(), 64);
}

TEST_F(ApiZeroLoad, HoldsUnderATpsTargetToo) {
  make_idle(2);
  const Allocation without = create("A");
  system_.find_service_class("gold")->set_target({"llm", 40, 1000, 20000});
  EXPECT_EQ(create("A"), without);
}

TEST_F(ApiZeroLoad, RequestsWithoutOutputAreZeroLoad) {
  make_idle(2);
  chat().set_load({0, 0, 128, 0});
  const Allocation idle = create("A");
  for (const double slo_tps : {0.0, 20000.0}) {
    system_.find_service_class("gold")->set_target({"llm", 40, 1000, slo_tps});
    chat().set_load({600, 0, 128, 0});
    EXPECT_EQ(create("A"), idle) << slo_tps;
  }
}

TEST_F(ApiZeroLoad, WithoutMinimumItIsTheEmptyAllocation) {
  make_idle(0);
  EXPECT_EQ(create("A"), Allocation());
  EXPECT_EQ(create("B"), Allocation());
}

TEST_F(ApiZeroLoad, TheEmptyAllocationIsKeptOnceUnderTheEmptyName) {
  make_idle(0);
  chat().calculate(system_, sample_accelerators());
  ASSERT_EQ(chat().allocations().size(), 1u);
  EXPECT_EQ(chat().allocations().begin()->first, "");
  EXPECT_EQ(chat().allocations().begin()->second, Allocation());
}

TEST_F(ApiZeroLoad, GivingUpTheCurrentAllocationHasItsValue) {
  make_idle(0);
  chat().set_current_allocation(Allocation::from_spec({"A", 2, 64, 1200, 0, 0, {}}));
  chat().calculate(system_, sample_accelerators());
  EXPECT_DOUBLE_EQ(chat().allocations().at("").value(), 0.1 * 1200 - 1200);
}

TEST_F(ApiZeroLoad, DivisionByZeroGivesRateZero) {
  make_idle(1);
  system_.set_model_perf({"llm", "A", 1, 64, 512, {0, 0, 0}, 0});
  EXPECT_EQ(create("A").max_arrival_rate_per_replica(), 0);
  EXPECT_EQ(create("A").max_rpm(), 0);
}

TEST_F(ApiZeroLoad, AllParametersZeroAreNoCandidateUnderLoadOnly) {
  system_.set_model_perf({"llm", "A", 1, 64, 512, {0, 0, 0}, 0});
  EXPECT_FALSE(Allocation::create(system_, chat(), "A"));
  make_idle(1);
  EXPECT_TRUE(Allocation::create(system_, chat(), "A"));
}

TEST_F(ApiZeroLoad, MeetsAnyTarget) {
  make_idle(1);
  system_.find_service_class("gold")->set_target({"llm", 1, 1, 0});
  EXPECT_EQ(create("A").num_replicas(), 1);
}

TEST_F(ApiZeroLoad, DataTargetAndClassMustExist) {
  for (const std::int64_t min_replicas : {0, 1}) {
    system_ = System(sample_spec());
    make_idle(min_replicas);
    system_.find_model("llm")->remove_perf("A");
    EXPECT_FALSE(Allocation::create(system_, chat(), "A"));
    EXPECT_TRUE(Allocation::create(system_, chat(), "B"));
    system_.find_service_class("gold")->remove_target("llm");
    EXPECT_FALSE(Allocation::create(system_, chat(), "B"));
    system_.remove_service_class("gold");
    EXPECT_FALSE(Allocation::create(system_, chat(), "B"));
  }
}

}  // namespace
}  // namespace tonnage
