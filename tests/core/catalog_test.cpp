// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Accelerators, models, service classes and targets: every capability of each.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "object_samples.hpp"
#include "tonnage/core/accelerator.hpp"
#include "tonnage/core/model.hpp"
#include "tonnage/core/service_class.hpp"

namespace tonnage {
namespace {

AcceleratorSpec h100() { return {"8xH100", "H100", 8, 640, 26800, {600, 5600, 3000, 0.4}, 9832.5}; }

TEST(ApiAccelerator, HasTheFieldsOfItsSpec) {
  const Accelerator a(h100());
  EXPECT_EQ(a.name(), "8xH100");
  EXPECT_EQ(a.type(), "H100");
  EXPECT_EQ(a.multiplicity(), 8);
  EXPECT_EQ(a.cost_cents_per_hour(), 9832.5);
  EXPECT_EQ(a.mem_size_gb(), 640);
  EXPECT_EQ(a.mem_bw_gb_per_s(), 26800);
  EXPECT_EQ(a.power(), (PowerSpec{600, 5600, 3000, 0.4}));
}

TEST(ApiAccelerator, GivesItsSpecBack) { EXPECT_EQ(Accelerator(h100()).spec(), h100()); }

TEST(ApiAccelerator, PowerFollowsTheTwoSlopesOfTheCurve) {
  const Accelerator a(h100());
  EXPECT_DOUBLE_EQ(a.power_w(0), 600);
  EXPECT_DOUBLE_EQ(a.power_w(0.2), 1800);  // half way to (0.4, 3000)
  EXPECT_DOUBLE_EQ(a.power_w(0.4), 3000);
  EXPECT_DOUBLE_EQ(a.power_w(0.7), 4300);  // half way from there to (1, 5600)
  EXPECT_DOUBLE_EQ(a.power_w(1), 5600);
}

TEST(ApiAccelerator, PowerBeyondTheRangeIsThatOfItsEnds) {
  const Accelerator a(h100());
  EXPECT_DOUBLE_EQ(a.power_w(-0.5), 600);
  EXPECT_DOUBLE_EQ(a.power_w(1.5), 5600);
}

TEST(ApiAccelerator, PowerWithoutAMiddleIsOneLine) {
  for (const double mid_util : {0.0, 1.0, -0.2, 1.7}) {
    AcceleratorSpec spec = h100();
    spec.power.mid_util = mid_util;
    EXPECT_DOUBLE_EQ(Accelerator(spec).power_w(0.5), 3100) << mid_util;
  }
}

TEST(ApiAccelerator, DescribesItselfInOneLine) {
  const std::string text = Accelerator(h100()).to_string();
  for (const auto* part : {"8xH100", "8 x H100", "640 GB", "26800 GB/s", "9832.5", "5600 W"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

ModelPerfSpec perf(const std::string& acc, std::int64_t acc_count = 2) {
  return {"llm", acc, acc_count, 64, 512, {12, 0.05, 0.0005}, 4096};
}

TEST(ApiModel, IsMadeByNameWithoutData) {
  const Model m("llm");
  EXPECT_EQ(m.name(), "llm");
  EXPECT_TRUE(m.perfs().empty());
  EXPECT_TRUE(m.spec().empty());
}

TEST(ApiModel, AddsLooksUpAndReplacesDataPerAccelerator) {
  Model m("llm");
  m.set_perf(perf("A"));
  m.set_perf(perf("B"));
  ASSERT_NE(m.find_perf("A"), nullptr);
  EXPECT_EQ(*m.find_perf("A"), perf("A"));
  EXPECT_EQ(m.find_perf("C"), nullptr);
  ModelPerfSpec faster = perf("A");
  faster.perf_parms.alpha_ms = 6;
  m.set_perf(faster);
  EXPECT_EQ(*m.find_perf("A"), faster);
  EXPECT_EQ(*m.find_perf("B"), perf("B"));
  EXPECT_EQ(m.perfs().size(), 2u);
}

TEST(ApiModel, RefusesDataOfAnotherModel) {
  Model m("llm");
  ModelPerfSpec other = perf("A");
  other.name = "LLM";
  EXPECT_EQ(error_of([&] { m.set_perf(other); }), ErrorCode::kInvalidInput);
  EXPECT_TRUE(m.perfs().empty());
}

TEST(ApiModel, RemovesData) {
  Model m("llm");
  m.set_perf(perf("A"));
  m.set_perf(perf("B"));
  m.remove_perf("A");
  EXPECT_EQ(m.find_perf("A"), nullptr);
  EXPECT_NE(m.find_perf("B"), nullptr);
  EXPECT_EQ(error_of([&] { m.remove_perf("A"); }), ErrorCode::kNotFound);
}

TEST(ApiModel, InstancesPerReplicaAreAtLeastOne) {
  Model m("llm");
  m.set_perf(perf("none", 0));
  m.set_perf(perf("one", 1));
  m.set_perf(perf("four", 4));
  m.set_perf(perf("negative", -3));
  EXPECT_EQ(m.num_instances("none"), 1);
  EXPECT_EQ(m.num_instances("one"), 1);
  EXPECT_EQ(m.num_instances("four"), 4);
  EXPECT_EQ(m.num_instances("negative"), 1);
  EXPECT_EQ(m.num_instances("unknown"), 0) << "there is no replica without data";
}

TEST(ApiModel, GivesAllDataBackAsSpec) {
  Model m("llm");
  m.set_perf(perf("B"));
  m.set_perf(perf("A", 0));
  EXPECT_EQ(m.spec(), (std::vector<ModelPerfSpec>{perf("A", 0), perf("B")}));
}

TEST(ApiModel, DescribesItself) {
  Model m("llm");
  m.set_perf(perf("A"));
  const std::string text = m.to_string();
  for (const auto* part : {"llm", "2 x A", "batch 64", "512 tokens", "alpha 12", "gamma 0.0005"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

ServiceClassSpec gold() { return {"gold", 7, {{"llm", 40, 1000, 0}, {"vision", 0, 0, 900}}}; }

TEST(ApiServiceClass, IsMadeByNameAndPriority) {
  const ServiceClass c("gold", 7);
  EXPECT_EQ(c.name(), "gold");
  EXPECT_EQ(c.priority(), 7);
  EXPECT_TRUE(c.targets().empty());
}

TEST(ApiServiceClass, PriorityOutOfRangeIsTheLowest) {
  EXPECT_EQ(ServiceClass("c", kHighestPriority).priority(), kHighestPriority);
  EXPECT_EQ(ServiceClass("c", kLowestPriority).priority(), kLowestPriority);
  for (const std::int64_t p : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{101},
                               std::int64_t{1} << 32 | 1, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(ServiceClass("c", p).priority(), kLowestPriority) << p;
  }
}

TEST(ApiServiceClass, IsMadeFromSpecAndGivesItBack) {
  const ServiceClass c(gold());
  EXPECT_EQ(c.priority(), 7);
  EXPECT_EQ(c.targets().size(), 2u);
  EXPECT_EQ(c.spec(), gold());
}

TEST(ApiServiceClass, AddsOrReplacesATargetAndReturnsIt) {
  ServiceClass c("gold", 1);
  const Target& added = c.set_target({"llm", 40, 1000, 5});
  EXPECT_EQ(added, (Target{40, 1000, 5}));
  EXPECT_EQ(&added, c.find_target("llm"));
  const Target& replaced = c.set_target({"llm", 30, 0, 0});
  EXPECT_EQ(replaced, (Target{30, 0, 0}));
  EXPECT_EQ(c.targets().size(), 1u);
}

TEST(ApiServiceClass, LooksUpATarget) {
  const ServiceClass c(gold());
  ASSERT_NE(c.find_target("vision"), nullptr);
  EXPECT_EQ(*c.find_target("vision"), (Target{0, 0, 900}));
  EXPECT_EQ(c.find_target("other"), nullptr);
}

TEST(ApiServiceClass, RemovesATarget) {
  ServiceClass c(gold());
  c.remove_target("llm");
  EXPECT_EQ(c.find_target("llm"), nullptr);
  EXPECT_NE(c.find_target("vision"), nullptr);
  EXPECT_EQ(error_of([&] { c.remove_target("llm"); }), ErrorCode::kNotFound);
}

TEST(ApiServiceClass, UpdateKeepsTheTargetsItDoesNotName) {
  ServiceClass c(gold());
  c.update({"gold", 7, {{"llm", 20, 500, 0}, {"code", 10, 0, 0}}});
  EXPECT_EQ(*c.find_target("llm"), (Target{20, 500, 0}));
  EXPECT_EQ(*c.find_target("code"), (Target{10, 0, 0}));
  EXPECT_EQ(*c.find_target("vision"), (Target{0, 0, 900}));
}

TEST(ApiServiceClass, UpdateIsRefusedWhenNameOrPriorityDiffer) {
  ServiceClass c(gold());
  EXPECT_EQ(error_of([&] {
              c.update({"silver", 7, {{"llm", 1, 1, 1}}});
            }),
            ErrorCode::kInvalidInput);
  EXPECT_EQ(error_of([&] { c.update({"gold", 8, {{"llm", 1, 1, 1}}}); }), ErrorCode::kInvalidInput);
  EXPECT_EQ(c.spec(), gold()) << "a refused update changes nothing";
}

TEST(ApiServiceClass, DescribesItself) {
  const std::string text = ServiceClass(gold()).to_string();
  for (const auto* part : {"gold", "priority 7", "llm (ITL 40 ms", "vision"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(ApiTarget, DescribesItself) {
  const std::string text = Target{40, 1000, 25}.to_string();
  EXPECT_EQ(text, "ITL 40 ms, TTFT 1000 ms, TPS 25");
}

}  // namespace
}  // namespace tonnage
