// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The System: its entities by name, calculation, totals, solution and description.
#include "tonnage/core/system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "object_samples.hpp"
#include "support/seed.hpp"

namespace tonnage {
namespace {

// Gives every server its calculated allocation on `accelerator`.
void allocate_all(System& system, const std::string& accelerator) {
  system.calculate();
  const SystemSpec spec = system.spec();
  for (const ServerSpec& s : spec.servers) {
    Server& server = *system.find_server(s.name);
    server.set_allocation(server.allocations().at(accelerator));
  }
}

TEST(ApiSystem, IsMadeEmpty) {
  const System system;
  EXPECT_TRUE(system.accelerators().empty());
  EXPECT_TRUE(system.models().empty());
  EXPECT_TRUE(system.service_classes().empty());
  EXPECT_TRUE(system.servers().empty());
  EXPECT_TRUE(system.capacities().empty());
  EXPECT_EQ(system.spec(), SystemSpec{});
  EXPECT_TRUE(system.generate_solution().empty());
  EXPECT_TRUE(system.allocate_by_type().empty());
}

TEST(ApiSystem, SetsEverythingFromSpecAndReturnsTheOptimizerSpec) {
  SystemSpec spec = sample_spec();
  spec.optimizer = {true, false, false, true, SaturationPolicy::kRoundRobin};
  System system;
  EXPECT_EQ(system.set_from_spec(spec), spec.optimizer);
  EXPECT_EQ(system.accelerators().size(), 2u);
  EXPECT_EQ(system.models().size(), 1u);
  EXPECT_EQ(system.service_classes().size(), 2u);
  EXPECT_EQ(system.servers().size(), 2u);
  EXPECT_EQ(system.capacities().size(), 2u);
}

TEST(ApiSystem, SpecGoesThereAndBack) {
  SystemSpec spec = sample_spec();
  spec.optimizer = {false, true, true, false, SaturationPolicy::kPriorityExhaustive};
  System system;
  const OptimizerSpec optimizer = system.set_from_spec(spec);
  EXPECT_EQ(system.spec(optimizer), spec) << "its lists are by name already";
}

TEST(ApiSystem, SettingASpecReplacesWhatExistsAndKeepsTheRest) {
  System system(sample_spec());
  SystemSpec more;
  more.accelerators = {{"B", "b-card", 4, 0, 0, {}, 700}, {"C", "c-card", 1, 0, 0, {}, 50}};
  more.capacities = {{"b-card", 1}};
  more.models = {{"llm", "C", 1, 8, 512, {1, 1, 1}, 0}, {"vision", "A", 1, 8, 512, {1, 1, 1}, 0}};
  more.service_classes = {{"gold", 3, {{"vision", 1, 2, 3}}}};
  more.servers = {sample_server("search")};
  system.set_from_spec(more);
  EXPECT_EQ(system.accelerators().size(), 3u);
  EXPECT_EQ(system.find_accelerator("B")->spec(), more.accelerators[0]);
  EXPECT_EQ(system.find_accelerator("A")->spec(), sample_spec().accelerators[0]);
  EXPECT_EQ(system.capacity("b-card"), 1);
  EXPECT_EQ(system.capacity("a-card"), 100);
  EXPECT_EQ(system.models().size(), 2u);
  EXPECT_EQ(system.find_model("llm")->perfs().size(), 3u) << "performance data is added";
  EXPECT_EQ(system.find_service_class("gold")->spec(), more.service_classes[0]);
  EXPECT_EQ(system.find_server("search")->class_name(), "gold");
  EXPECT_EQ(system.servers().size(), 2u);
}

TEST(ApiSystem, AcceleratorsAreSetLookedUpAndRemoved) {
  System system;
  const std::vector<AcceleratorSpec> specs = sample_spec().accelerators;
  system.set_accelerators(specs);
  ASSERT_NE(system.find_accelerator("B"), nullptr);
  EXPECT_EQ(system.find_accelerator("B")->spec(), specs[1]);
  EXPECT_EQ(system.find_accelerator("C"), nullptr);
  EXPECT_EQ(system.accelerators().size(), 2u);
  AcceleratorSpec cheaper = specs[0];
  cheaper.cost_cents_per_hour = 1;
  system.set_accelerator(cheaper);
  EXPECT_EQ(system.find_accelerator("A")->spec(), cheaper);
  system.remove_accelerator("A");
  EXPECT_EQ(system.find_accelerator("A"), nullptr);
  EXPECT_EQ(error_of([&] { system.remove_accelerator("A"); }), ErrorCode::kNotFound);
}

TEST(ApiSystem, ModelsAreSetLookedUpAndRemoved) {
  System system;
  system.add_model("vision");
  system.set_models(sample_spec().models);
  ASSERT_NE(system.find_model("llm"), nullptr);
  EXPECT_EQ(system.find_model("llm")->spec(), sample_spec().models);
  EXPECT_TRUE(system.find_model("vision")->perfs().empty());
  EXPECT_EQ(system.find_model("code"), nullptr);
  EXPECT_EQ(system.models().size(), 2u);
  EXPECT_EQ(&system.add_model("llm"), system.find_model("llm")) << "an existing one stays";
  EXPECT_EQ(system.find_model("llm")->perfs().size(), 2u);
  system.remove_model("llm");
  EXPECT_EQ(system.find_model("llm"), nullptr);
  EXPECT_EQ(error_of([&] { system.remove_model("llm"); }), ErrorCode::kNotFound);
}

TEST(ApiSystem, ServiceClassesAreSetLookedUpAndRemoved) {
  System system;
  const std::vector<ServiceClassSpec> specs = sample_spec().service_classes;
  system.set_service_classes(specs);
  ASSERT_NE(system.find_service_class("gold"), nullptr);
  EXPECT_EQ(system.find_service_class("gold")->spec(), specs[1]);
  EXPECT_EQ(system.find_service_class("silver"), nullptr);
  EXPECT_EQ(system.service_classes().size(), 2u);
  system.set_service_class({"gold", 9, {}});
  EXPECT_EQ(system.find_service_class("gold")->priority(), 9);
  EXPECT_TRUE(system.find_service_class("gold")->targets().empty());
  system.remove_service_class("gold");
  EXPECT_EQ(system.find_service_class("gold"), nullptr);
  EXPECT_EQ(error_of([&] { system.remove_service_class("gold"); }), ErrorCode::kNotFound);
}

TEST(ApiSystem, ServersAreSetLookedUpAndRemoved) {
  System system;
  system.set_servers(sample_spec().servers);
  ASSERT_NE(system.find_server("chat"), nullptr);
  EXPECT_EQ(system.find_server("chat")->spec(), sample_spec().servers[0]);
  EXPECT_EQ(system.find_server("other"), nullptr);
  EXPECT_EQ(system.servers().size(), 2u);
  ServerSpec changed = sample_server("chat");
  changed.max_queue_size = 1;
  system.set_server(changed);
  EXPECT_EQ(system.find_server("chat")->spec(), changed);
  system.remove_server("chat");
  EXPECT_EQ(system.find_server("chat"), nullptr);
  EXPECT_EQ(error_of([&] { system.remove_server("chat"); }), ErrorCode::kNotFound);
}

TEST(ApiSystem, CapacitiesAreSetLookedUpAndRemoved) {
  System system;
  system.set_capacities({{"a-card", 5}, {"b-card", 0}});
  EXPECT_EQ(system.capacity("a-card"), 5);
  EXPECT_EQ(system.capacity("b-card"), 0);
  EXPECT_EQ(system.capacity("c-card"), std::nullopt);
  system.set_capacity({"a-card", 7});
  EXPECT_EQ(system.capacity("a-card"), 7);
  EXPECT_EQ(system.capacities().size(), 2u);
  system.remove_capacity("a-card");
  EXPECT_EQ(system.capacity("a-card"), std::nullopt);
  EXPECT_EQ(error_of([&] { system.remove_capacity("a-card"); }), ErrorCode::kNotFound);
}

TEST(ApiSystem, CalculateFindsAllAllocationsOfAllServers) {
  System system(sample_spec());
  system.calculate();
  for (const auto& [name, server] : system.servers()) {
    Server alone(server.spec());
    alone.calculate(system, sample_accelerators());
    EXPECT_EQ(server.allocations().size(), 2u) << name;
    EXPECT_EQ(server.allocations(), alone.allocations()) << name;
    EXPECT_EQ(server.allocation(), nullptr) << "calculating chooses nothing";
  }
}

TEST(ApiSystem, CalculateLeavesUnplannableServersWithoutAllocations) {
  SystemSpec spec = sample_spec();
  spec.servers[1].class_name = "unknown";
  System system(spec);
  system.calculate();
  EXPECT_EQ(system.find_server("chat")->allocations().size(), 2u);
  EXPECT_TRUE(system.find_server("search")->allocations().empty());
}

TEST(ApiSystem, AccumulatesAllocationsByType) {
  System system(sample_spec());
  system.find_server("chat")->set_allocation(Allocation::from_spec({"A", 3, 64, 1800, 0, 0, {}}));
  system.find_server("search")->set_allocation(Allocation::from_spec({"A", 1, 64, 600, 0, 0, {}}));
  ServerSpec other = sample_server("other");
  system.set_server(other);
  system.find_server("other")->set_allocation(Allocation::from_spec({"B", 5, 128, 2500, 0, 0, {}}));
  system.remove_capacity("b-card");
  const auto totals = system.allocate_by_type();
  ASSERT_EQ(totals.size(), 2u);
  // Replicas times instances of a replica times cards of an instance.
  EXPECT_EQ(totals.at("a-card"), (AllocationByType{"a-card", 4 * 2 * 1, 100, 2400}));
  EXPECT_EQ(totals.at("b-card"), (AllocationByType{"b-card", 5 * 1 * 2, 0, 2500}));
}

TEST(ApiSystem, EmptyAndMissingAllocationsUseNoCards) {
  System system(sample_spec());
  system.find_server("chat")->set_allocation(Allocation());
  EXPECT_TRUE(system.allocate_by_type().empty());
}

TEST(ApiSystem, CardTotalsEndAtTheLargestCount) {
  System system(sample_spec());
  for (const auto* name : {"chat", "search"}) {
    system.find_server(name)->set_allocation(
        Allocation::from_spec({"A", INT64_MAX / 3, 64, 1, 0, 0, {}}));
  }
  EXPECT_EQ(system.allocate_by_type().at("a-card").cards, INT64_MAX);
}

TEST(ApiSystem, GeneratesTheSolutionForAllServers) {
  System system(sample_spec());
  allocate_all(system, "B");
  system.set_server(sample_server("without"));
  const auto solution = system.generate_solution();
  ASSERT_EQ(solution.size(), 2u) << "servers that hold an allocation";
  for (const auto& [name, allocation] : solution) {
    const Server& server = *system.find_server(name);
    EXPECT_EQ(allocation, server.allocation()->to_spec(server.load()));
    EXPECT_EQ(allocation.accelerator, "B");
    EXPECT_EQ(allocation.load, server.load());
  }
}

TEST(ApiSystem, DescribesServersTotalsAndCost) {
  System system(sample_spec());
  allocate_all(system, "A");
  const std::string text = system.to_string();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + 1 + 1)
      << "two servers, one type, the total:\n"
      << text;
  double cost = 0;
  for (const auto& [name, server] : system.servers()) {
    cost += server.allocation()->cost_cents_per_hour();
    EXPECT_NE(text.find(server.to_string()), std::string::npos) << text;
  }
  for (const auto* part : {"ITL 40 ms, TTFT 1000 ms", "ITL 200 ms, TTFT 8000 ms", "a-card: "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  const std::string total = "total cost: " + std::to_string(static_cast<int>(cost)) + ".00";
  EXPECT_NE(text.find(total), std::string::npos) << text;
}

TEST(ApiSystem, TwoSystemsAreIndependent) {
  SystemSpec cheap = sample_spec();
  cheap.accelerators[0].cost_cents_per_hour = 1;
  System a(sample_spec()), b(cheap);
  b.remove_server("search");
  allocate_all(a, "A");
  allocate_all(b, "A");
  const Allocation& in_a = *a.find_server("chat")->allocation();
  const Allocation& in_b = *b.find_server("chat")->allocation();
  EXPECT_EQ(in_a.num_replicas(), in_b.num_replicas());
  EXPECT_DOUBLE_EQ(in_a.cost_cents_per_hour(), 300 * in_b.cost_cents_per_hour());
  EXPECT_EQ(a.servers().size(), 2u);
  System copy = a;
  copy.find_server("chat")->remove_allocation();
  EXPECT_NE(a.find_server("chat")->allocation(), nullptr);
}

TEST(ApiSystem, OrderOfTheInputDoesNotMatter) {
  std::mt19937_64 engine(testing::test_seed());
  SystemSpec spec = sample_spec();
  spec.servers.push_back(sample_server("another"));
  spec.servers.back().current_alloc.accelerator = "B";
  System want(spec);
  allocate_all(want, "A");
  for (int i = 0; i < 5; ++i) {
    std::shuffle(spec.accelerators.begin(), spec.accelerators.end(), engine);
    std::shuffle(spec.capacities.begin(), spec.capacities.end(), engine);
    std::shuffle(spec.models.begin(), spec.models.end(), engine);
    std::shuffle(spec.service_classes.begin(), spec.service_classes.end(), engine);
    std::shuffle(spec.servers.begin(), spec.servers.end(), engine);
    System system(spec);
    allocate_all(system, "A");
    EXPECT_EQ(system.spec(), want.spec());
    EXPECT_EQ(system.generate_solution(), want.generate_solution());
    EXPECT_EQ(system.allocate_by_type(), want.allocate_by_type());
    EXPECT_EQ(system.to_string(), want.to_string());
    for (const auto& [name, server] : want.servers()) {
      EXPECT_EQ(system.find_server(name)->allocations(), server.allocations());
    }
  }
}

}  // namespace
}  // namespace tonnage
