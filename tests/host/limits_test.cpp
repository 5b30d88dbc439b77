// Weights, limits and exclusions of the optimizer section: plans keep to them.
#include <gtest/gtest.h>

#include <set>

#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/core/error.hpp"
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

// What counts beside the value: energy and another weight of changes.
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
