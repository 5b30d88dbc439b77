// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// One plan by hand, spoiled in every way that a rule forbids: each is caught by its kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/claims.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/verify.hpp"

namespace tonnage {
namespace {

using testing::claims_of;
using testing::kinds;
using testing::to_text;

// A small fleet by hand, so that every rule can be broken on purpose.
class SpoiledPlan : public ::testing::Test {
 protected:
  SpoiledPlan() {
    spec_.accelerators = {{"A", "ta", 1, 0, 0, {10, 100, 60, 0.5}, 100},
                          {"B", "tb", 2, 0, 0, {10, 100, 60, 0.5}, 150}};
    spec_.capacities = {{"ta", 100}, {"tb", 100}};
    const PerfParms parms{12, 0.05, 0.0005};
    spec_.models = {{"m", "A", 1, 48, 512, parms, 0},
                    {"m", "B", 2, 64, 512, parms, 0},
                    {"n", "A", 1, 48, 512, parms, 0}};
    spec_.service_classes = {{"gold", 1, {{"m", 20, 60, 0}, {"n", 20, 60, 0}}}};
    add("busy", "m", 600, 0);
    add("idle", "m", 0, 2);
    add("kept", "m", 600, 0);
    spec_.servers.back().keep_accelerator = true;
    spec_.servers.back().current_alloc.accelerator = "B";
    spec_.servers.back().current_alloc.num_replicas = 1;
    add("lone", "n", 600, 0);
    add("none", "m", 0, 0);
    add("wild", "missing", 600, 0);
    system_ = System(spec_);
    claims_ = claims_of(make_plan(system_, spec_.optimizer));
  }

  void add(const std::string& name, const std::string& model, double rate, std::int64_t minimum) {
    ServerSpec server;
    server.name = name;
    server.class_name = "gold";
    server.model = model;
    server.min_num_replicas = minimum;
    server.max_queue_size = 128;
    server.current_alloc.load = {rate, 0, 128, 512};
    spec_.servers.push_back(server);
  }

  std::vector<Violation> verify() const { return verify_plan(system_, spec_.optimizer, claims_); }

  AllocationClaims& claim(const std::string& server) { return claims_.allocations.at(server); }

  // Some violation of that server is of that kind.
  void expect(const std::string& server, const std::string& kind) const {
    const std::vector<Violation> found = verify();
    const bool named = std::any_of(found.begin(), found.end(), [&](const Violation& v) {
      return v.server == server && v.kind == kind && !v.message.empty();
    });
    EXPECT_TRUE(named) << "no " << kind << " for \"" << server << "\" in:\n" << to_text(found);
  }

  SystemSpec spec_;
  System system_;
  PlanClaims claims_;
};

TEST_F(SpoiledPlan, IsGoodBeforeItIsSpoiled) {
  EXPECT_EQ(to_text(verify()), "");
  ASSERT_EQ(claims_.allocations.size(), 5U);
  ASSERT_EQ(claims_.unallocated, std::vector<std::string>{"wild"});
  ASSERT_GT(*claim("busy").num_replicas, 1);
}

TEST_F(SpoiledPlan, UnknownServer) {
  claims_.allocations["ghost"] = claim("busy");
  expect("ghost", "unknown-server");
}
TEST_F(SpoiledPlan, UnknownServerUnallocated) {
  claims_.unallocated->push_back("ghost");
  expect("ghost", "unknown-server");
}
TEST_F(SpoiledPlan, UnknownAccelerator) {
  claim("busy").accelerator = "Z";
  expect("busy", "unknown-accelerator");
}
TEST_F(SpoiledPlan, NoPerformanceData) {
  claim("lone").accelerator = "B";
  expect("lone", "no-perf-data");
}
TEST_F(SpoiledPlan, EmptyAllocationWithoutPerformanceData) {
  for (const char* acc : {"A", "B"}) system_.find_model("m")->remove_perf(acc);
  expect("none", "no-perf-data");
}
TEST_F(SpoiledPlan, InvalidPerformanceData) {
  for (ModelPerfSpec perf : spec_.models) {
    perf.perf_parms.alpha_ms = -1;
    system_.set_model_perf(perf);
  }
  expect("busy", "perf-data");
}
TEST_F(SpoiledPlan, AllParametersZero) {
  for (ModelPerfSpec perf : spec_.models) {
    perf.perf_parms = {};
    system_.set_model_perf(perf);
  }
  expect("busy", "perf-data");
}
TEST_F(SpoiledPlan, KeptAccelerator) {
  claim("kept").accelerator = "A";
  expect("kept", "keep-accelerator");
}
TEST_F(SpoiledPlan, UnplannableServer) {
  claims_.allocations["wild"] = claim("busy");
  expect("wild", "unplannable");
}
TEST_F(SpoiledPlan, Incomplete) {
  claim("busy").num_replicas.reset();
  claim("lone").accelerator.reset();
  claim("kept").max_batch.reset();
  expect("busy", "incomplete");
  expect("lone", "incomplete");
  expect("kept", "incomplete");
}
TEST_F(SpoiledPlan, Capacity) {
  system_.set_capacity({*claim("lone").accelerator == "A" ? "ta" : "tb", 0});
  expect("", "capacity");
  spec_.optimizer.unlimited = true;
  EXPECT_FALSE(kinds(verify()).contains("capacity"));
}
TEST_F(SpoiledPlan, TypeWithoutCapacityEntry) {
  system_.remove_capacity("ta");
  expect("", "capacity");
}
TEST_F(SpoiledPlan, MinReplicas) {
  claim("idle").num_replicas = 1;
  expect("idle", "min-replicas");
}
TEST_F(SpoiledPlan, MaxReplicas) {
  ServerSpec server = system_.find_server("busy")->spec();
  server.max_num_replicas = 1;
  system_.set_server(server);
  expect("busy", "max-replicas");
}
TEST_F(SpoiledPlan, BatchSize) {
  claim("busy").max_batch = 0;
  claim("lone").max_batch = *claim("lone").max_batch + 1;
  claim("idle").max_batch = *claim("idle").max_batch - 1;
  for (const char* server : {"busy", "lone", "idle"}) expect(server, "batch");
}
TEST_F(SpoiledPlan, NoReplicas) {
  claim("busy").num_replicas = 0;
  expect("busy", "replicas");
}
TEST_F(SpoiledPlan, TooFewReplicas) {
  claim("busy").num_replicas = *claim("busy").num_replicas - 1;
  expect("busy", "replicas");
  claim("busy").partial = true;
  EXPECT_FALSE(kinds(verify()).contains("replicas"));
}
TEST_F(SpoiledPlan, MissedTargets) {
  claim("busy").num_replicas = 1;
  expect("busy", "itl-target");
  expect("busy", "ttft-target");
}
TEST_F(SpoiledPlan, InfeasiblePair) {
  system_.set_service_class({"gold", 1, {{"m", 5, 60, 0}, {"n", 20, 60, 0}}});
  expect("busy", "infeasible");
  expect("busy", "itl-target");
}
TEST_F(SpoiledPlan, PartialButWhole) {
  for (const char* server : {"busy", "idle", "none"}) {
    claim(server).partial = true;
    expect(server, "partial");
  }
}
TEST_F(SpoiledPlan, Cost) {
  claim("busy").cost_cents_per_hour = *claim("busy").cost_cents_per_hour * 1.002;
  claim("none").cost_cents_per_hour = 1;
  expect("busy", "cost");
  expect("none", "cost");
}
TEST_F(SpoiledPlan, Value) {
  claim("kept").value = *claim("kept").value + 0.002 * *claim("kept").cost_cents_per_hour;
  expect("kept", "value");
}
TEST_F(SpoiledPlan, Load) {
  claim("busy").load->avg_in_tokens += 1;
  claim("idle").load->arrival_rate_per_min = 1;
  expect("busy", "load");
  expect("idle", "load");
}
TEST_F(SpoiledPlan, EachMetric) {
  using Field = std::optional<double> AllocationClaims::*;
  const PlanClaims good = claims_;
  for (const Field field :
       {&AllocationClaims::itl_average_ms, &AllocationClaims::ttft_average_ms,
        &AllocationClaims::response_ms, &AllocationClaims::rho, &AllocationClaims::max_rpm,
        &AllocationClaims::drop_probability, &AllocationClaims::ttft_p50_ms,
        &AllocationClaims::ttft_p90_ms, &AllocationClaims::ttft_p95_ms,
        &AllocationClaims::ttft_p99_ms, &AllocationClaims::power_w}) {
    for (const char* server : {"busy", "idle"}) {
      claims_ = good;
      claim(server).*field = *(claim(server).*field) * 1.02 + 1e-4;
      const std::vector<Violation> found = verify();
      ASSERT_EQ(found.size(), 1U) << to_text(found);
      EXPECT_EQ(found[0].server, server);
      EXPECT_EQ(found[0].kind, "claim");
    }
  }
}
TEST_F(SpoiledPlan, UnclaimedFieldsAreNotCompared) {
  for (auto& [name, claim] : claims_.allocations) {
    AllocationClaims bare;
    bare.accelerator = claim.accelerator;
    bare.num_replicas = claim.num_replicas;
    bare.max_batch = claim.max_batch;
    claim = bare;
  }
  claims_.unallocated.reset();
  claims_.summary.reset();
  EXPECT_EQ(to_text(verify()), "");
}
TEST_F(SpoiledPlan, ZeroLoadRules) {
  claim("idle").num_replicas = 3;
  expect("idle", "zero-load");
  claim("busy").accelerator = "";
  claim("busy").num_replicas = 0;
  expect("busy", "zero-load");
  claim("none").num_replicas = 1;
  expect("none", "zero-load");
}
TEST_F(SpoiledPlan, UnallocatedLists) {
  claims_.unallocated = std::vector<std::string>{"busy", "busy"};
  expect("busy", "also-allocated");
  expect("busy", "duplicate");
  expect("wild", "unaccounted");
}
TEST_F(SpoiledPlan, EachTotalOfTheSummary) {
  const PlanClaims good = claims_;
  const std::vector<std::function<void(SummaryClaims&)>> spoilers = {
      [](SummaryClaims& s) { *s.total_cost *= 1.002; },
      [](SummaryClaims& s) { *s.total_value += 0.002 * *s.total_cost; },
      [](SummaryClaims& s) { ++*s.types->at("ta").used; },
      [](SummaryClaims& s) { ++*s.types->at("ta").limit; },
      [](SummaryClaims& s) { *s.types->at("ta").cost *= 1.002; },
      [](SummaryClaims& s) { s.types->erase("ta"); },
      [](SummaryClaims& s) { (*s.types)["tz"].used = 0; },
      [](SummaryClaims& s) { ++*s.priorities->at(1).served; },
      [](SummaryClaims& s) { ++*s.priorities->at(1).partial; },
      [](SummaryClaims& s) { ++*s.priorities->at(1).unserved; },
      [](SummaryClaims& s) { s.priorities->erase(1); },
      [](SummaryClaims& s) { (*s.priorities)[7].served = 1; },
  };
  for (std::size_t i = 0; i < spoilers.size(); ++i) {
    SCOPED_TRACE(i);
    claims_ = good;
    spoilers[i](*claims_.summary);
    const std::vector<Violation> found = verify();
    ASSERT_EQ(found.size(), 1U) << to_text(found);
    EXPECT_EQ(found[0].kind, "summary");
    EXPECT_EQ(found[0].server, "");
  }
}

}  // namespace
}  // namespace tonnage
