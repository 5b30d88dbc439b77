// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Weights, limits and exclusions of the optimizer section: plans keep to them.
#include <gtest/gtest.h>

#include <set>

#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/milp_selection.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/verify.hpp"

namespace tonnage {
namespace {

using testing::claims_of;
using testing::kinds;
using testing::to_text;

// Weights and limits: what the solvers give keeps to them, and a plan that does without is caught.
TEST(Limits, HoldAndAreChecked) {
  SystemSpec spec = testing::small_fleet(0.9, 100);
  const Plan free = make_plan(System(spec), spec.optimizer);
  double power = 0;
  for (const PlannedServer& server : free.allocations) power += server.metrics.power_w;
  OptimizerSpec bound = spec.optimizer;
  bound.energy_price_cents_per_kwh = 25;
  bound.pue = 1.4;
  bound.transition_factor = 2;
  bound.max_cost_cents_per_hour = 0.9 * free.summary.total_cost;
  bound.max_power_w = 0.9 * power * bound.pue;
  bound.max_changes = 40;
  spec.service_classes[0].excluded_accelerators = {spec.accelerators[0].name};
  spec.servers[0].excluded_accelerators = {spec.accelerators[1].name};
  const System system(spec);
  for (const SaturationPolicy policy : {SaturationPolicy::kNone, SaturationPolicy::kRoundRobin}) {
    bound.saturation_policy = policy;
    for (const Solver solver : {Solver::kAuto, Solver::kGreedy}) {
      SCOPED_TRACE(to_string(solver));
      PlannerOptions options;
      options.solver = solver;
      const Plan plan = make_plan(system, bound, options);
      EXPECT_EQ(to_text(verify_plan(system, bound, claims_of(plan))), "");
      ASSERT_EQ(plan.summary.limits.size(), 3u);
      for (const LimitUsage& usage : plan.summary.limits) {
        EXPECT_LE(usage.used, usage.limit * (1 + 1e-9)) << usage.name;
        EXPECT_EQ(usage.price.has_value(), solver == Solver::kAuto) << usage.name;
      }
      EXPECT_FALSE(plan.allocations.empty());
    }
  }
  const std::set<std::string> found = kinds(verify_plan(system, bound, claims_of(free)));
  EXPECT_TRUE(found.contains("max-cost"));
  EXPECT_TRUE(found.contains("max-power"));
  EXPECT_TRUE(found.contains("max-changes"));
  EXPECT_TRUE(found.contains("excluded"));

  // Limits hold where cards do not.
  OptimizerSpec unlimited = bound;
  unlimited.unlimited = true;
  const Plan plan = make_plan(system, unlimited);
  EXPECT_EQ(plan.summary.solver, "price");
  EXPECT_EQ(to_text(verify_plan(system, unlimited, claims_of(plan))), "");
  PlannerOptions regardless;
  regardless.solver = Solver::kUnlimited;
  EXPECT_THROW((void)make_plan(system, unlimited, regardless), Error);
  // Nothing may change: only servers that have what they need are served.
  OptimizerSpec still = spec.optimizer;
  still.max_changes = 0;
  for (const PlannedServer& server : make_plan(system, still).allocations) {
    const AllocationSpec& now = system.find_server(server.server)->spec().current_alloc;
    EXPECT_EQ(server.allocation.accelerator, now.accelerator);
    EXPECT_EQ(server.allocation.num_replicas, now.num_replicas);
  }
}

// The fleet with all its money, that of the limit too, in other units.
SystemSpec scaled_fleet(double scale) {
  SystemSpec spec = testing::small_fleet(0.9, 30);
  for (AcceleratorSpec& accelerator : spec.accelerators) accelerator.cost_cents_per_hour *= scale;
  for (ServerSpec& server : spec.servers) {
    server.current_alloc.cost_cents_per_hour *= scale;
    for (AllocationPart& part : server.current_alloc.parts) part.cost_cents_per_hour *= scale;
  }
  return spec;
}

// The tolerance for rounding of sums, at any size of the limit.
constexpr double kRounding = 1e-12;

// Limits hold whatever the size of the figures, those of 0 exactly, and verification agrees.
TEST(Limits, HoldAtEveryScale) {
  for (const double scale : {1e-12, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12}) {
    SystemSpec spec = scaled_fleet(scale);
    spec.optimizer.saturation_policy = SaturationPolicy::kRoundRobin;
    const System system(spec);
    const double bill = make_plan(system, spec.optimizer).summary.total_cost;
    ASSERT_GT(bill, 0);
    double before = -1;
    for (const double share : {0.0, 1e-6, 0.01, 0.3, 0.7, 1.0}) {
      for (const Solver solver : {Solver::kAuto, Solver::kGreedy, Solver::kMilp}) {
        if (solver == Solver::kMilp && (!has_milp() || share != 0.3)) continue;
        SCOPED_TRACE(::testing::Message() << scale << " " << share << " " << to_string(solver));
        OptimizerSpec bound = spec.optimizer;
        bound.max_cost_cents_per_hour = share * bill;
        PlannerOptions options;
        options.solver = solver;
        options.time_limit_s = 0.3;  // of milp
        const Plan plan = make_plan(system, bound, options);
        EXPECT_LE(plan.summary.total_cost, share * bill * (1 + kRounding));
        EXPECT_EQ(to_text(verify_plan(system, bound, claims_of(plan))), "");
        if (solver != Solver::kAuto) continue;
        // More money serves more servers.
        if (share == 0.3 || share == 0.7) {
          EXPECT_GT(plan.summary.total_cost, before);
          EXPECT_GT(plan.summary.total_cost, 0.9 * share * bill);
        }
        before = plan.summary.total_cost;
      }
    }
  }
}

// Verification finds plans that exceed a limit by little, at every scale.
TEST(Limits, VerificationFindsSmallExcess) {
  for (const double scale : {1e-12, 1.0, 1e12}) {
    SystemSpec spec = scaled_fleet(scale);
    const System system(spec);
    const Plan plan = make_plan(system, spec.optimizer);
    OptimizerSpec bound = spec.optimizer;
    bound.max_cost_cents_per_hour = plan.summary.total_cost * (1 - 1e-7);
    EXPECT_TRUE(kinds(verify_plan(system, bound, claims_of(plan))).contains("max-cost")) << scale;
    bound.max_cost_cents_per_hour = 0;
    EXPECT_TRUE(kinds(verify_plan(system, bound, claims_of(plan))).contains("max-cost")) << scale;
    bound.max_cost_cents_per_hour = plan.summary.total_cost;
    EXPECT_EQ(to_text(verify_plan(system, bound, claims_of(plan))), "") << scale;
  }
}

// Limits of 0 on power; and on cost where some options cost nothing.
TEST(Limits, OfZeroPermitNothing) {
  SystemSpec spec = testing::small_fleet(0.9, 30);
  for (AcceleratorSpec& accelerator : spec.accelerators) {
    accelerator.power = {1e-9, 2e-9, 1.5e-9, 0.5};
  }
  const System system(spec);
  OptimizerSpec bound = spec.optimizer;
  bound.max_power_w = 0;
  for (const PlannedServer& server : make_plan(system, bound).allocations) {
    EXPECT_EQ(server.metrics.power_w, 0) << server.server;
  }
  for (AcceleratorSpec& accelerator : spec.accelerators) accelerator.cost_cents_per_hour = 0;
  bound = spec.optimizer;
  bound.max_cost_cents_per_hour = 0;
  const Plan plan = make_plan(System(spec), bound);
  EXPECT_EQ(plan.summary.total_cost, 0);
  EXPECT_GT(plan.allocations.size(), 20U);
}

// Weights beside the value: energy, and the factor of transitions.
TEST(Weights, ChangeWhatIsChosen) {
  SystemSpec spec = testing::small_fleet(2.0, 100);
  const System system(spec);
  const auto totals = [&](const OptimizerSpec& optimizer) {
    const Plan plan = make_plan(system, optimizer);
    EXPECT_EQ(to_text(verify_plan(system, optimizer, claims_of(plan))), "");
    double power = 0, changes = 0;
    for (const PlannedServer& server : plan.allocations) {
      const AllocationSpec& now = system.find_server(server.server)->spec().current_alloc;
      power += server.metrics.power_w;
      changes += server.allocation.accelerator != now.accelerator;
    }
    return std::pair(power, changes);
  };
  OptimizerSpec dear_energy = spec.optimizer, dear_changes = spec.optimizer;
  dear_energy.energy_price_cents_per_kwh = 10000;
  dear_changes.transition_factor = 1000;
  const auto plain = totals(spec.optimizer);
  EXPECT_LT(totals(dear_energy).first, plain.first);
  EXPECT_LE(totals(dear_changes).second, plain.second);
}

}  // namespace
}  // namespace tonnage
