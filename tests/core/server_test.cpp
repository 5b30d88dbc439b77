// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Servers: what they state, their candidates and the three allocations they hold.
#include "tonnage/core/server.hpp"

#include <gtest/gtest.h>

#include "object_samples.hpp"

namespace tonnage {
namespace {

Allocation some_allocation(const std::string& accelerator = "A", std::int64_t replicas = 3) {
  return Allocation::from_spec({accelerator, replicas, 64, 900, 25, 150, {}});
}

TEST(ApiServer, HasTheFieldsOfItsSpec) {
  ServerSpec spec = sample_server();
  spec.keep_accelerator = true;
  spec.min_num_replicas = 2;
  spec.max_num_replicas = 9;
  spec.max_batch_size = 48;
  const Server s(spec);
  EXPECT_EQ(s.name(), "chat");
  EXPECT_EQ(s.class_name(), "gold");
  EXPECT_EQ(s.model(), "llm");
  EXPECT_TRUE(s.keep_accelerator());
  EXPECT_EQ(s.min_num_replicas(), 2);
  EXPECT_EQ(s.max_num_replicas(), 9);
  EXPECT_EQ(s.max_batch_size(), 48);
  EXPECT_EQ(s.max_queue_size(), 64);
  EXPECT_EQ(s.load(), sample_load());
  EXPECT_EQ(s.allocation(), nullptr);
  EXPECT_TRUE(s.allocations().empty());
}

TEST(ApiServer, GivesItsSpecBack) {
  ServerSpec spec = sample_server();
  spec.class_name.clear();
  spec.current_alloc.accelerator = "B";
  spec.current_alloc.num_replicas = 4;
  EXPECT_EQ(Server(spec).spec(), spec);
}

TEST(ApiServer, MissingClassMeansFree) {
  ServerSpec spec = sample_server();
  spec.class_name.clear();
  EXPECT_EQ(Server(spec).class_name(), "Free");
}

TEST(ApiServer, PriorityIsThatOfItsClass) {
  System system(sample_spec());
  EXPECT_EQ(system.find_server("chat")->priority(system), 1);
  EXPECT_EQ(system.find_server("search")->priority(system), 100);
  system.remove_service_class("gold");
  EXPECT_EQ(system.find_server("chat")->priority(system), kLowestPriority);
  system.set_service_class({"gold", 5, {}});
  EXPECT_EQ(system.find_server("chat")->priority(system), 5);
}

TEST(ApiServer, LoadCanBeSet) {
  Server s(sample_server());
  const LoadSpec load{1200, 7, 64, 256};
  s.set_load(load);
  EXPECT_EQ(s.load(), load);
  EXPECT_EQ(s.spec().current_alloc.load, load);
}

TEST(ApiServer, CandidatesAreAllAcceleratorsGiven) {
  ServerSpec spec = sample_server();
  spec.current_alloc.accelerator = "B";
  EXPECT_EQ(Server(spec).candidate_accelerators({"B", "A"}), (std::vector<std::string>{"B", "A"}));
}

TEST(ApiServer, KeepAcceleratorLeavesOnlyTheCurrentOne) {
  ServerSpec spec = sample_server();
  spec.keep_accelerator = true;
  EXPECT_EQ(Server(spec).candidate_accelerators({"A", "B"}).size(), 2u)
      << "there is no current one";
  spec.current_alloc.accelerator = "B";
  EXPECT_EQ(Server(spec).candidate_accelerators({"A", "B"}), std::vector<std::string>{"B"});
  EXPECT_TRUE(Server(spec).candidate_accelerators({"A"}).empty());
  spec.current_alloc.accelerator = "unknown";
  EXPECT_TRUE(Server(spec).candidate_accelerators({"A", "B"}).empty());
}

TEST(ApiServer, CalculateFindsTheAllocationOnEachAccelerator) {
  const System system(sample_spec());
  Server s(sample_server());
  s.calculate(system, {"A", "B"});
  ASSERT_EQ(s.allocations().size(), 2u);
  for (const auto& [name, allocation] : s.allocations()) {
    EXPECT_EQ(allocation.accelerator(), name);
    auto want = Allocation::create(system, s, name);
    ASSERT_TRUE(want);
    // From no accelerator at no cost to this one.
    want->set_value(1.1 * want->cost_cents_per_hour());
    EXPECT_DOUBLE_EQ(allocation.value(), want->value());
    want->set_value(allocation.value());
    EXPECT_EQ(allocation, *want);
  }
}

TEST(ApiServer, CalculateForgetsEarlierAllocations) {
  const System system(sample_spec());
  Server s(sample_server());
  s.calculate(system, {"A", "B"});
  s.calculate(system, {"B"});
  EXPECT_EQ(s.allocations().size(), 1u);
  EXPECT_EQ(s.allocations().count("B"), 1u);
  s.calculate(system, {"unknown"});
  EXPECT_TRUE(s.allocations().empty());
}

TEST(ApiServer, CalculateRespectsKeepAccelerator) {
  const System system(sample_spec());
  ServerSpec spec = sample_server();
  spec.keep_accelerator = true;
  spec.current_alloc.accelerator = "B";
  Server s(spec);
  s.calculate(system, {"A", "B"});
  ASSERT_EQ(s.allocations().size(), 1u);
  EXPECT_EQ(s.allocations().begin()->first, "B");
}

TEST(ApiServer, CalculateValuesTheTransitionFromTheCurrentAllocation) {
  const System system(sample_spec());
  ServerSpec spec = sample_server();
  spec.current_alloc.accelerator = "A";
  spec.current_alloc.num_replicas = 7;
  spec.current_alloc.cost_cents_per_hour = 4200;
  Server s(spec);
  s.calculate(system, {"A", "B"});
  const Allocation& a = s.allocations().at("A");
  const Allocation& b = s.allocations().at("B");
  ASSERT_NE(a.num_replicas(), 7);
  EXPECT_DOUBLE_EQ(a.value(), a.cost_cents_per_hour() - 4200);
  EXPECT_DOUBLE_EQ(b.value(),
                   0.1 * (4200 + b.cost_cents_per_hour()) + b.cost_cents_per_hour() - 4200);
}

TEST(ApiServer, SettingAllocationUpdatesDesiredAllocation) {
  Server s(sample_server());
  s.set_allocation(some_allocation());
  ASSERT_NE(s.allocation(), nullptr);
  EXPECT_EQ(*s.allocation(), some_allocation());
  EXPECT_EQ(s.spec().desired_alloc, (AllocationSpec{"A", 3, 64, 900, 25, 150, sample_load()}));
  EXPECT_EQ(s.spec().current_alloc, sample_server().current_alloc) << "the current one stays";
}

TEST(ApiServer, RemovingAllocationClearsDesiredAllocation) {
  Server s(sample_server());
  s.set_allocation(some_allocation());
  s.remove_allocation();
  EXPECT_EQ(s.allocation(), nullptr);
  EXPECT_EQ(s.spec().desired_alloc, AllocationSpec{});
}

TEST(ApiServer, CurrentAllocationComesFromTheSpecAndCanBeSet) {
  ServerSpec spec = sample_server();
  spec.current_alloc.accelerator = "B";
  spec.current_alloc.num_replicas = 2;
  Server s(spec);
  EXPECT_EQ(s.current_allocation().accelerator(), "B");
  EXPECT_EQ(s.current_allocation().num_replicas(), 2);
  s.set_current_allocation(some_allocation());
  EXPECT_EQ(s.current_allocation(), some_allocation());
  EXPECT_EQ(s.spec().current_alloc, (AllocationSpec{"A", 3, 64, 900, 25, 150, sample_load()}))
      << "the load of the server stays";
}

TEST(ApiServer, ApplyingMakesTheDesiredAllocationTheCurrentOneWithItsLoad) {
  Server s(sample_server());
  s.set_allocation(some_allocation());
  s.set_load({1, 2, 3, 4});
  s.apply_desired_allocation();
  EXPECT_EQ(s.current_allocation(), some_allocation());
  EXPECT_EQ(s.spec().current_alloc, s.spec().desired_alloc);
  EXPECT_EQ(s.load(), sample_load()) << "the load the allocation was desired for";
}

TEST(ApiServer, ApplyingWithoutADesiredAllocationKeepsTheLoad) {
  ServerSpec spec = sample_server();
  spec.current_alloc.accelerator = "A";
  spec.current_alloc.num_replicas = 2;
  Server s(spec);
  s.apply_desired_allocation();
  EXPECT_EQ(s.current_allocation(), Allocation());
  EXPECT_EQ(s.spec().current_alloc.accelerator, "");
  EXPECT_EQ(s.load(), sample_load());
}

TEST(ApiServer, ApplyingTheEmptyAllocationTakesItsLoad) {
  ServerSpec spec = sample_server();
  spec.current_alloc.accelerator = "A";
  spec.current_alloc.load = {};
  Server s(spec);
  s.set_allocation(Allocation());
  s.set_load(sample_load());
  s.apply_desired_allocation();
  EXPECT_EQ(s.current_allocation().accelerator(), "");
  EXPECT_EQ(s.load(), LoadSpec{});
}

TEST(ApiServer, SaturatedWhenTheLoadExceedsItsAllocation) {
  const System system(sample_spec());
  Server s(sample_server());
  EXPECT_FALSE(s.saturated()) << "nothing allocated";
  s.set_allocation(*Allocation::create(system, s, "A"));
  EXPECT_FALSE(s.saturated());
  const double carries =
      s.allocation()->max_rpm() * static_cast<double>(s.allocation()->num_replicas());
  LoadSpec load = s.load();
  load.arrival_rate_per_min = carries * 0.999;
  s.set_load(load);
  EXPECT_FALSE(s.saturated());
  load.arrival_rate_per_min = carries * 1.001;
  s.set_load(load);
  EXPECT_TRUE(s.saturated());
}

TEST(ApiServer, DescribesItselfInOneLine) {
  Server s(sample_server());
  EXPECT_NE(s.to_string().find("no allocation"), std::string::npos);
  s.set_allocation(some_allocation());
  const std::string text = s.to_string();
  for (const auto* part : {"chat", "llm", "gold", "600 requests/min", "128 + 512", "3 x A"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace tonnage
