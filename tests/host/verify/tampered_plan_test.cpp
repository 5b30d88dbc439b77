// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans as a planner with one wrong rule would state them, consistent in themselves: verification
// knows the rule and catches each.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/verify.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage {
namespace {

using Json = nlohmann::json;
using testing::kinds;
using testing::to_text;

class TamperedPlan : public ::testing::Test {
 protected:
  TamperedPlan() : spec_(testing::small_fleet(0.9, 40)), system_(spec_) {}

  // The plan of the price solver under these rules, changed, verified under the same rules or
  // under others.
  std::set<std::string> found(const OptimizerSpec& planned, const OptimizerSpec& verified,
                              const std::function<void(Json&)>& tamper = {}) const {
    PlannerOptions options;
    options.solver = Solver::kPrice;
    Json plan = Json::parse(plan_to_json(make_plan(system_, planned, options)));
    if (tamper) tamper(plan);
    const PlanReadResult read = read_plan_from_string(plan.dump(), "plan");
    EXPECT_TRUE(read.ok()) << read.diagnostics.to_text();
    return kinds(verify_plan(system_, verified, read.claims));
  }

  SystemSpec spec_;
  System system_;
};

// Adds to the objective of the last stage and all that is derived from it.
void raise_value_stage(Json& plan, double amount) {
  Json& summary = plan.at("summary");
  Json& stage = summary.at("stages").back();
  for (const char* field : {"objective", "lowerBound", "priceBound"}) {
    if (stage.contains(field)) stage[field] = stage.at(field).get<double>() + amount;
  }
  summary["objective"] = stage.at("objective");
  summary["lowerBound"] = stage.at("lowerBound");
}

TEST_F(TamperedPlan, HonestOnesHold) {
  OptimizerSpec weighted = spec_.optimizer;
  weighted.energy_price_cents_per_kwh = 30;
  weighted.pue = 1.5;
  weighted.headroom = 0.1;
  EXPECT_EQ(found(spec_.optimizer, spec_.optimizer), std::set<std::string>{});
  EXPECT_EQ(found(weighted, weighted), std::set<std::string>{});
}

// A surcharge of 20 % in place of 10 % of both costs.
TEST_F(TamperedPlan, Surcharge) {
  const auto tamper = [&](Json& plan) {
    double more = 0;
    for (auto& [name, allocation] : plan.at("allocations").items()) {
      const AllocationSpec& now = system_.find_server(name)->spec().current_alloc;
      if (allocation.at("accelerator") == now.accelerator) continue;
      const double cost = allocation.at("cost").get<double>();
      const double wrong = 0.1 * (cost + now.cost_cents_per_hour);
      allocation["value"] = allocation.at("value").get<double>() + wrong;
      more += wrong;
    }
    Json& summary = plan.at("summary");
    summary["totalValue"] = summary.at("totalValue").get<double>() + more;
    raise_value_stage(plan, more);
  };
  EXPECT_TRUE(found(spec_.optimizer, spec_.optimizer, tamper).contains("value"));
}

TEST_F(TamperedPlan, Weights) {
  OptimizerSpec right = spec_.optimizer;
  right.energy_price_cents_per_kwh = 30;
  right.pue = 1.5;
  right.transition_factor = 2;
  OptimizerSpec wrong = right;
  wrong.pue = 1;  // energy of the accelerators alone
  EXPECT_EQ(found(wrong, right), std::set<std::string>{"certificate"});
  wrong = right;
  wrong.transition_factor = 1;
  EXPECT_EQ(found(wrong, right), std::set<std::string>{"certificate"});
  wrong = right;
  wrong.energy_price_cents_per_kwh = 0;
  EXPECT_EQ(found(wrong, right), std::set<std::string>{"certificate"});
}

TEST_F(TamperedPlan, Limits) {
  OptimizerSpec right = spec_.optimizer;
  OptimizerSpec wrong = right;
  right.max_changes = 5;
  EXPECT_TRUE(found(wrong, right).contains("max-changes"));
  right = wrong;
  right.max_cost_cents_per_hour = 1000;
  EXPECT_TRUE(found(wrong, right).contains("max-cost"));
  right = wrong;
  wrong.max_power_w = 20000;
  right.max_power_w = 20000;
  right.pue = 1.5;  // the limit is that of the site
  EXPECT_TRUE(found(wrong, right).contains("max-power"));
}

TEST_F(TamperedPlan, SpareReplicasAndHeadroom) {
  OptimizerSpec right = spec_.optimizer;
  right.spare_replicas = 1;
  EXPECT_TRUE(found(spec_.optimizer, right).contains("spare-replicas"));
  right = spec_.optimizer;
  right.headroom = 0.2;
  EXPECT_TRUE(found(spec_.optimizer, right).contains("headroom"));
}

// A bound by prices that counts the cards kept free as there to be used, or forgets others, is
// another one.
TEST_F(TamperedPlan, BoundsWithHeadroom) {
  OptimizerSpec careful = spec_.optimizer;
  careful.headroom = 0.25;
  double paid = 0;
  const auto tamper = [&](Json& plan) {
    Json& stage = plan.at("summary").at("stages").back();
    if (!stage.contains("typePrices")) return;
    for (const auto& [type, usage] : plan.at("summary").at("types").items()) {
      // A quarter of the cards, as if it were kept free twice.
      paid +=
          0.25 * usage.at("limit").get<double>() * stage.at("typePrices").at(type).get<double>();
    }
    stage["priceBound"] = stage.at("priceBound").get<double>() + paid;
  };
  const std::set<std::string> caught = found(careful, careful, tamper);
  if (paid > 1) {
    EXPECT_EQ(caught, std::set<std::string>{"certificate"});
  }
}

TEST_F(TamperedPlan, Mixes) {
  OptimizerSpec mixed = spec_.optimizer;
  mixed.heterogeneous = true;
  mixed.unlimited = true;
  spec_ = testing::small_fleet(2.0, 200);
  system_ = System(spec_);
  std::string name;
  const auto find = [&](const Json& plan) -> bool {
    for (const auto& [server, allocation] : plan.at("allocations").items()) {
      if (allocation.contains("parts")) name = server;
    }
    return !name.empty();
  };
  EXPECT_EQ(found(mixed, mixed, [&](Json& plan) { find(plan); }), std::set<std::string>{});
  if (name.empty()) GTEST_SKIP() << "no server combines accelerators";
  // The surcharge for moving forgotten.
  EXPECT_TRUE(found(mixed, mixed, [&](Json& plan) {
                Json& allocation = plan.at("allocations").at(name);
                allocation["value"] =
                    allocation.at("cost").get<double>() -
                    system_.find_server(name)->spec().current_alloc.cost_cents_per_hour;
              }).contains("value"));
  OptimizerSpec pure = mixed;
  pure.heterogeneous = false;
  EXPECT_TRUE(found(mixed, pure).contains("mixed"));
  OptimizerSpec spare = mixed;
  spare.spare_replicas = 1;
  EXPECT_TRUE(found(mixed, spare).contains("replicas"));
}

}  // namespace
}  // namespace tonnage
