// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Allocations that combine accelerators: they hold, they pay, they are checked.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/core/queueing.hpp"
#include "tonnage/host/milp_selection.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/verify.hpp"
#include "tonnage/io/spec_reader.hpp"
#include "tonnage/io/spec_writer.hpp"

namespace tonnage {
namespace {

using testing::claims_of;
using testing::to_text;

SystemSpec fleet(double tightness, std::int64_t servers, std::uint64_t more_seed = 0) {
  SystemSpec spec = testing::small_fleet(tightness, servers, 8, more_seed);
  spec.optimizer.heterogeneous = true;
  return spec;
}

std::int64_t num_mixes(const Plan& plan) {
  return std::count_if(plan.allocations.begin(), plan.allocations.end(),
                       [](const PlannedServer& p) { return !p.parts.empty(); });
}

TEST(Mix, PlansHoldWithEveryOption) {
  std::int64_t mixes = 0;
  for (const double tightness : {0.6, 0.9, 2.0}) {
    SystemSpec spec = fleet(tightness, 50);
    spec.optimizer.saturation_policy = SaturationPolicy::kRoundRobin;
    const System system(spec);
    for (const bool more : {false, true}) {
      OptimizerSpec optimizer = spec.optimizer;
      if (more) {
        optimizer.spare_replicas = 1;
        optimizer.energy_price_cents_per_kwh = 20;
        optimizer.max_changes = 90;
        optimizer.transition_factor = 0.5;
      }
      for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
        PlannerOptions options;
        options.batch = batch;
        const Plan plan = make_plan(system, optimizer, options);
        EXPECT_EQ(to_text(verify_plan(system, optimizer, claims_of(plan))), "");
        mixes += num_mixes(plan);
      }
    }
  }
  EXPECT_GT(mixes, 0);
}

TEST(Mix, TheSamePlanForAnyThreadCountAndOrder) {
  SystemSpec spec = fleet(0.8, 150);
  PlannerOptions one, several;
  one.num_threads = 1;
  several.num_threads = 7;
  const Plan a = make_plan(System(spec), spec.optimizer, one);
  EXPECT_EQ(make_plan(System(spec), spec.optimizer, several).allocations, a.allocations);
  std::reverse(spec.servers.begin(), spec.servers.end());
  std::reverse(spec.models.begin(), spec.models.end());
  std::reverse(spec.accelerators.begin(), spec.accelerators.end());
  EXPECT_EQ(make_plan(System(spec), spec.optimizer, several).allocations, a.allocations);
}

// More options never make the best plan worse, and without capacity they often improve it.
TEST(Mix, NeverWorseThanOneAccelerator) {
  for (int i = 0; i < 10; ++i) {
    SystemSpec spec = fleet(i % 2 == 0 ? 0.7 : 0.95, 20, static_cast<std::uint64_t>(i));
    PlannerOptions options;
    options.solver = has_milp() ? Solver::kMilp : Solver::kUnlimited;
    OptimizerSpec single = spec.optimizer;
    single.heterogeneous = false;
    const System system(spec);
    const PlanSummary with = make_plan(system, spec.optimizer, options).summary;
    const PlanSummary without = make_plan(system, single, options).summary;
    ASSERT_EQ(with.priorities.size(), without.priorities.size());
    bool same_service = true;
    for (std::size_t k = 0; k < with.priorities.size() && same_service; ++k) {
      EXPECT_LE(with.priorities[k].unserved, without.priorities[k].unserved);
      same_service = with.priorities[k].unserved == without.priorities[k].unserved;
    }
    if (same_service) {
      EXPECT_LE(with.total_value, without.total_value + 1e-6);
    }
  }
}

// Every split of two accelerators by hand: none is better than what the planner finds.
TEST(Mix, CheapestOfAllSplits) {
  SystemSpec spec = fleet(2.0, 60);
  spec.optimizer.unlimited = true;
  for (ServerSpec& server : spec.servers) {
    const LoadSpec load = server.current_alloc.load;
    server.current_alloc = {};
    server.current_alloc.load = load;
    server.keep_accelerator = false;
    server.min_num_replicas = server.max_num_replicas = 0;
  }
  for (ServiceClassSpec& c : spec.service_classes) {
    for (ModelTargetSpec& target : c.model_targets) target.slo_tps = 0;
  }
  const System system(spec);
  const Plan plan = make_plan(system, spec.optimizer);
  CandidateQuery query;
  for (const PlannedServer& planned : plan.allocations) {
    query.server = planned.server;
    const std::vector<Candidate> alone = list_candidates(system, query, {});
    double least = planned.value;
    const double rate = system.find_server(planned.server)->load().arrival_rate_per_min;
    for (const Candidate& a : alone) {
      least = std::min(least, a.value);
      for (const Candidate& b : alone) {
        if (a.accelerator >= b.accelerator || a.allocation.num_replicas < 2) continue;
        if (a.allocation.num_replicas > 17 || b.allocation.num_replicas > 17) continue;
        const double of_a =
            a.allocation.cost_cents_per_hour / static_cast<double>(a.allocation.num_replicas);
        const double of_b =
            b.allocation.cost_cents_per_hour / static_cast<double>(b.allocation.num_replicas);
        for (std::int64_t n = 1; n < a.allocation.num_replicas; ++n) {
          for (std::int64_t m = 1; m < b.allocation.num_replicas; ++m) {
            const double carried = static_cast<double>(n) * a.metrics.max_rate_per_replica_per_ms +
                                   static_cast<double>(m) * b.metrics.max_rate_per_replica_per_ms;
            if (carried * 60000 < rate * (1 + 1e-12)) continue;
            const double cost = static_cast<double>(n) * of_a + static_cast<double>(m) * of_b;
            least = std::min(least, 1.1 * cost);
          }
        }
      }
    }
    EXPECT_NEAR(planned.value, least, 1e-6 * least) << planned.server;
  }
}

// A planned mix is a current allocation like any other: planning again changes nothing.
TEST(Mix, IsKeptWhereItIsTheBest) {
  SystemSpec spec = fleet(2.0, 160);
  spec.optimizer.unlimited = true;
  const Plan first = make_plan(System(spec), spec.optimizer);
  ASSERT_GT(num_mixes(first), 0);
  for (ServerSpec& server : spec.servers) {
    for (const PlannedServer& planned : first.allocations) {
      if (planned.server == server.name) server.current_alloc = planned.allocation;
    }
  }
  const SpecReadResult read = read_system_from_string(system_to_json(spec), "spec");
  ASSERT_TRUE(read.ok()) << read.diagnostics.to_text();
  EXPECT_EQ(read.spec.servers, spec.servers);
  EXPECT_EQ(read.diagnostics.num_warnings(), 0u) << read.diagnostics.to_text();
  spec.optimizer.max_changes = 0;
  const System system(spec);
  const Plan again = make_plan(system, spec.optimizer);
  EXPECT_EQ(to_text(verify_plan(system, spec.optimizer, claims_of(again))), "");
  EXPECT_EQ(again.summary.total_value, 0);
  ASSERT_EQ(again.allocations.size(), first.allocations.size());
  for (std::size_t i = 0; i < first.allocations.size(); ++i) {
    EXPECT_EQ(again.allocations[i].allocation, first.allocations[i].allocation);
  }
  // keepAccelerator permits other splits, but no other accelerators.
  for (ServerSpec& server : spec.servers) server.keep_accelerator = true;
  spec.optimizer.max_changes.reset();
  for (ServerSpec& server : spec.servers) server.current_alloc.load.arrival_rate_per_min *= 1.5;
  const Plan kept = make_plan(System(spec), spec.optimizer);
  EXPECT_EQ(to_text(verify_plan(System(spec), spec.optimizer, claims_of(kept))), "");
  for (const PlannedServer& planned : kept.allocations) {
    std::set<std::string> allowed;
    for (const PlannedServer& before : first.allocations) {
      if (before.server != planned.server) continue;
      allowed.insert(before.allocation.accelerator);
      for (const AllocationPart& part : before.allocation.parts) allowed.insert(part.accelerator);
    }
    for (const AllocationPart& part : planned.allocation.parts) {
      EXPECT_TRUE(allowed.contains(part.accelerator)) << planned.server;
    }
    if (planned.parts.empty()) {
      EXPECT_TRUE(allowed.contains(planned.allocation.accelerator)) << planned.server;
    }
  }
}

TEST(Mix, SpoiledOnesAreCaught) {
  SystemSpec spec;
  PlanClaims good;
  std::string name;
  for (std::uint64_t i = 0; i < 50 && name.empty(); ++i) {
    spec = fleet(2.0, 80, i);
    spec.optimizer.unlimited = true;
    good = claims_of(make_plan(System(spec), spec.optimizer));
    for (const auto& [server, claim] : good.allocations) {
      if (!claim.parts.empty() && claim.parts[0].num_replicas > 1) name = server;
    }
  }
  ASSERT_NE(name, "") << "no fleet has a mix of several replicas";
  const System system(spec);
  const auto kinds_of = [&](const std::function<void(AllocationClaims&)>& spoil,
                            const OptimizerSpec& optimizer) {
    PlanClaims claims = good;
    claims.summary.reset();
    spoil(claims.allocations.at(name));
    std::set<std::string> kinds;
    for (const Violation& v : verify_plan(system, optimizer, claims)) {
      if (v.server == name) kinds.insert(v.kind);
    }
    return kinds;
  };
  EXPECT_TRUE(kinds_of([](AllocationClaims&) {}, spec.optimizer).empty());
  EXPECT_TRUE(kinds_of([](AllocationClaims& c) { --c.parts[0].num_replicas; }, spec.optimizer)
                  .contains("replicas"));
  EXPECT_TRUE(
      kinds_of([](AllocationClaims& c) { c.parts[0].cost_cents_per_hour *= 2; }, spec.optimizer)
          .contains("cost"));
  EXPECT_TRUE(kinds_of([](AllocationClaims& c) { c.parts[1] = c.parts[0]; }, spec.optimizer)
                  .contains("mixed"));
  EXPECT_TRUE(
      kinds_of([](AllocationClaims& c) { c.parts.pop_back(); }, spec.optimizer).contains("mixed"));
  EXPECT_TRUE(kinds_of([](AllocationClaims& c) { c.parts[0].accelerator = "none"; }, spec.optimizer)
                  .contains("unknown-accelerator"));
  EXPECT_TRUE(kinds_of([](AllocationClaims& c) { c.parts[0].max_batch = 0; }, spec.optimizer)
                  .contains("batch"));
  EXPECT_TRUE(
      kinds_of([](AllocationClaims& c) { c.partial = true; }, spec.optimizer).contains("partial"));
  EXPECT_TRUE(kinds_of([](AllocationClaims& c) { c.ttft_average_ms = 1e6; }, spec.optimizer)
                  .contains("claim"));
  OptimizerSpec single = spec.optimizer;
  single.heterogeneous = false;
  EXPECT_TRUE(kinds_of([](AllocationClaims&) {}, single).contains("mixed"));
}

}  // namespace
}  // namespace tonnage
