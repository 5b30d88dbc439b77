// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Verification's own rules, against figures worked out by hand. They are the last word where the
// rules of the planner and those of verification come to agree on something wrong.
#include "host/verify/rules.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "host/verify/bounds.hpp"
#include "host/verify/limits.hpp"
#include "host/verify/offers.hpp"

namespace tonnage::verify {
namespace {

// One loaded server "s" on accelerators A (one card of ta) and B (two of tb), two instances a
// replica on B.
SystemSpec small_spec() {
  SystemSpec spec;
  spec.accelerators = {{"A", "ta", 1, 0, 0, {10, 100, 60, 0.5}, 100},
                       {"B", "tb", 2, 0, 0, {20, 200, 150, 0.25}, 150}};
  spec.capacities = {{"ta", 100}, {"tb", 100}};
  const PerfParms parms{12, 0.05, 0.0005};
  spec.models = {{"m", "A", 1, 48, 512, parms, 0}, {"m", "B", 2, 64, 512, parms, 0}};
  spec.service_classes = {{"gold", 3, {{"m", 20, 60, 0}}}};
  ServerSpec server;
  server.name = "s";
  server.class_name = "gold";
  server.model = "m";
  server.max_queue_size = 128;
  server.current_alloc.load = {600, 0, 128, 512};
  spec.servers = {server};
  return spec;
}

Demand demand_of(const System& system) { return read_demand(system, *system.find_server("s")); }

TEST(VerifyRules, Demand) {
  SystemSpec spec = small_spec();
  const System plain(spec);
  EXPECT_EQ(demand_of(plain).kind, Demand::Kind::kLoaded);
  EXPECT_DOUBLE_EQ(demand_of(plain).rate_per_ms, 0.01);
  EXPECT_EQ(demand_of(plain).priority, 3);
  // 2,048 tokens/s of 512 tokens each are four requests a second, whatever the load says.
  spec.service_classes[0].model_targets[0].slo_tps = 2048;
  const System tps(spec);
  EXPECT_DOUBLE_EQ(demand_of(tps).rate_per_ms, 0.004);
  EXPECT_TRUE(demand_of(tps).has_tps_target);
  spec.servers[0].current_alloc.load.arrival_rate_per_min = 0;
  const System empty(spec);
  EXPECT_EQ(demand_of(empty).kind, Demand::Kind::kEmpty);
  spec.servers[0].min_num_replicas = 2;
  const System idle(spec);
  EXPECT_EQ(demand_of(idle).kind, Demand::Kind::kIdle);
  spec.servers[0].class_name = "lost";
  const System lost(spec);
  EXPECT_EQ(demand_of(lost).problem, "the service class is unknown");
  EXPECT_EQ(demand_of(lost).priority, kLowestPriority);
}

TEST(VerifyRules, Supply) {
  const SystemSpec spec = small_spec();
  const System system(spec);
  const Demand demand = demand_of(system);
  const Supply b = *read_supply(spec.accelerators[1], spec.models[1]);
  EXPECT_EQ(b.instances, 2);
  EXPECT_EQ(b.cards, 4);
  EXPECT_DOUBLE_EQ(b.cost, 300);
  EXPECT_EQ(batch_ceiling(demand, b), 64);
  ModelPerfSpec data = spec.models[1];
  data.at_tokens = 100;  // 64 * 100 / 512
  EXPECT_EQ(batch_ceiling(demand, *read_supply(spec.accelerators[1], data)), 12);
  data.acc_count = 0;  // counts as one
  EXPECT_EQ(read_supply(spec.accelerators[1], data)->cards, 2);
  EXPECT_TRUE(can_serve(demand, b));
  data.perf_parms = {};
  EXPECT_FALSE(can_serve(demand, *read_supply(spec.accelerators[1], data)));
  data.perf_parms.gamma_ms = -1;
  EXPECT_FALSE(read_supply(spec.accelerators[1], data));
}

TEST(VerifyRules, Power) {
  const SystemSpec spec = small_spec();
  const Supply b = *read_supply(spec.accelerators[1], spec.models[1]);
  // Two instances a replica; (0, 20), (0.25, 150), (1, 200) watts.
  EXPECT_DOUBLE_EQ(replicas_power_w(b, 3, 0), 3 * 2 * 20.0);
  EXPECT_DOUBLE_EQ(replicas_power_w(b, 1, 0.125), 2 * 85.0);
  EXPECT_DOUBLE_EQ(replicas_power_w(b, 1, 0.25), 2 * 150.0);
  EXPECT_DOUBLE_EQ(replicas_power_w(b, 1, 0.625), 2 * 175.0);
  EXPECT_DOUBLE_EQ(replicas_power_w(b, 1, 1), 2 * 200.0);
  AcceleratorSpec straight = spec.accelerators[1];
  straight.power.mid_util = 0;
  EXPECT_DOUBLE_EQ(replicas_power_w(*read_supply(straight, spec.models[1]), 1, 0.5), 2 * 110.0);
}

TEST(VerifyRules, Value) {
  ServerSpec server = small_spec().servers[0];
  server.current_alloc.accelerator = "A";
  server.current_alloc.num_replicas = 4;
  server.current_alloc.cost_cents_per_hour = 400;
  const auto expect = [](const Transition& t, bool moves, bool changed, double value) {
    EXPECT_EQ(t.moves, moves);
    EXPECT_EQ(t.changed, changed);
    EXPECT_DOUBLE_EQ(t.value, value);
  };
  expect(transition_to(server, "A", 4, 500), false, false, 0);
  expect(transition_to(server, "A", 5, 500), false, true, 100);
  expect(transition_to(server, "B", 1, 300), true, true, -100 + 0.1 * 700);
  expect(transition_to(server, "", 0, 0), true, true, -400 + 0.1 * 400);
  const std::array<Holding, 2> both{Holding{"A", 1}, Holding{"B", 2}};
  expect(transition_to(server, both, 700), true, true, 300 + 0.1 * 1100);
  server.current_alloc.accelerator = "A + B";
  server.current_alloc.parts = {{"B", 2, 8, 0}, {"A", 1, 8, 0}};
  expect(transition_to(server, both, 700), false, false, 0);
  const std::array<Holding, 2> more{Holding{"A", 2}, Holding{"B", 2}};
  expect(transition_to(server, more, 800), false, true, 400);
  // One accelerator of a combination is another place.
  expect(transition_to(server, "A", 3, 300), true, true, -100 + 0.1 * 700);
  server = small_spec().servers[0];
  expect(transition_to(server, "", 0, 0), false, false, 0);
  expect(transition_to(server, "A", 2, 200), true, true, 220);
}

TEST(VerifyRules, Objective) {
  ServerSpec server = small_spec().servers[0];
  server.current_alloc.accelerator = "A";
  server.current_alloc.num_replicas = 4;
  server.current_alloc.cost_cents_per_hour = 400;
  OptimizerSpec optimizer;
  const Transition there = transition_to(server, "B", 1, 300);
  const Transition here = transition_to(server, "A", 5, 500);
  EXPECT_DOUBLE_EQ(objective_of(optimizer, server, there, 300, 1000), -30);
  optimizer.transition_factor = 3;  // of the surcharge of 70 alone
  EXPECT_DOUBLE_EQ(objective_of(optimizer, server, there, 300, 1000), -100 + 210);
  EXPECT_DOUBLE_EQ(objective_of(optimizer, server, here, 500, 1000), 100);
  // 2 kW of accelerators draw 3 kW of the site, at 20 cents each for an hour.
  optimizer.energy_price_cents_per_kwh = 20;
  optimizer.pue = 1.5;
  EXPECT_DOUBLE_EQ(objective_of(optimizer, server, here, 500, 2000), 100 + 60);
}

TEST(VerifyRules, Limits) {
  OptimizerSpec optimizer;
  optimizer.max_cost_cents_per_hour = 5e7;  // units of 1e-4: at most 1e12 of them
  optimizer.max_power_w = 10;               // units of 1e-8: at least 1e9 of them
  optimizer.max_changes = 7;
  optimizer.pue = 2;
  const std::vector<LimitUnits> limits = limit_units(optimizer);
  ASSERT_EQ(limits.size(), 3U);
  EXPECT_DOUBLE_EQ(limits[0].unit, 1e-4);
  EXPECT_EQ(limits[0].offered, 500'000'000'000);
  EXPECT_DOUBLE_EQ(limits[1].unit, 1e-8);
  EXPECT_EQ(limits[1].offered, 1'000'000'000);
  EXPECT_EQ(limits[2].offered, 7);
  const std::vector<std::int64_t> taken = units_taken(optimizer, limits, {1, 3, true});
  EXPECT_EQ(taken, (std::vector<std::int64_t>{10'000, 600'000'000, 1}));
  optimizer.max_power_w = 0;
  const std::vector<LimitUnits> none = limit_units(optimizer);
  EXPECT_EQ(none[1].offered, 0);
  EXPECT_GE(units_taken(optimizer, none, {1, 1e-9, false})[1], 1);
}

TEST(VerifyRules, SpareReplicas) {
  SystemSpec spec = small_spec();
  const System system(spec);
  const auto replicas = [&](std::int64_t spare) {
    OptimizerSpec optimizer;
    optimizer.spare_replicas = spare;
    return Offers(system, optimizer, BatchMode::kMax).of(demand_of(system)).at(0).parts[0].replicas;
  };
  EXPECT_EQ(replicas(2), replicas(0) + 2);
}

// Batch sizes are tried one by one here: the smallest of those that need the fewest replicas.
TEST(VerifyRules, BatchSearch) {
  const System system(small_spec());
  const Demand demand = demand_of(system);
  const Offers offers(system, {}, BatchMode::kSearch);
  for (const Offer& offer : offers.of(demand)) {
    const OfferPart& part = offer.parts[0];
    for (std::int64_t m = 1; m <= batch_ceiling(demand, *part.supply); ++m) {
      const RateSearch<double> found =
          size_pair(replica_queue(demand, *part.supply, m), demand.targets, false);
      if (!found.feasible) continue;
      const std::int64_t needed = *replicas_for(demand.rate_per_ms, found.throughput_per_ms);
      EXPECT_GE(needed, part.replicas) << m;
      if (m < part.batch) {
        EXPECT_GT(needed, part.replicas) << m;
      } else if (m == part.batch) {
        EXPECT_EQ(needed, part.replicas);
      }
    }
  }
}

// Every mix carries the load, and with a replica less of either part it does not.
TEST(VerifyRules, Mixes) {
  SystemSpec spec = small_spec();
  spec.servers[0].current_alloc.load.arrival_rate_per_min = 1500;
  const System system(spec);
  const Demand demand = demand_of(system);
  OptimizerSpec optimizer;
  optimizer.heterogeneous = true;
  const auto goodput = [&](const OfferPart& part) {
    return size_pair(replica_queue(demand, *part.supply, part.batch), demand.targets, false)
        .throughput_per_ms;
  };
  int mixes = 0;
  const Offers offers(system, optimizer, BatchMode::kMax);
  for (const Offer& offer : offers.of(demand)) {
    if (offer.parts.size() < 2) continue;
    ++mixes;
    const OfferPart& a = offer.parts[0];
    const OfferPart& b = offer.parts[1];
    const double carried =
        static_cast<double>(a.replicas) * goodput(a) + static_cast<double>(b.replicas) * goodput(b);
    EXPECT_GE(carried, demand.rate_per_ms * (1 - 1e-12));
    EXPECT_LT(carried - std::max(goodput(a), goodput(b)), demand.rate_per_ms);
    EXPECT_DOUBLE_EQ(offer.cost, 100.0 * static_cast<double>(a.replicas) +
                                     300.0 * static_cast<double>(b.replicas));
  }
  EXPECT_GT(mixes, 1);
}

// The bound of a fleet of one server, at prices that make its terms easy to tell apart.
TEST(VerifyRules, Bounds) {
  SystemSpec spec = small_spec();
  spec.models.pop_back();
  spec.capacities = {{"ta", 10}};
  const System system(spec);
  const Offer only = Offers(system, {}, BatchMode::kMax).of(demand_of(system)).at(0);
  const auto replicas = static_cast<double>(only.parts[0].replicas);
  StageTruth truth;
  truth.served[3] = 1;
  StageClaims value;
  value.type_prices["ta"] = 7;
  value.class_prices[3] = 10000;
  value.limit_prices["maxCost"] = 0.5;
  StageClaims counts;
  counts.priority = 3;
  counts.type_prices["ta"] = 0.125;
  const std::vector<StageClaims> stages{value, counts};
  OptimizerSpec optimizer;
  const double objective = 1.1 * 100 * replicas;  // it moves from nowhere
  EXPECT_NEAR(BoundCheck(system, optimizer, BatchMode::kMax, stages).bound(0, truth),
              objective + 7 * replicas - 10000 - 7 * 10 + 10000, 1e-6);
  EXPECT_NEAR(BoundCheck(system, optimizer, BatchMode::kMax, stages).bound(1, truth),
              std::min(1.0, 0.125 * replicas) - 0.125 * 10, 1e-9);
  // Of ten cards a tenth is kept free.
  optimizer.headroom = 0.1;
  EXPECT_NEAR(BoundCheck(system, optimizer, BatchMode::kMax, stages).bound(0, truth),
              objective + 7 * replicas - 7 * 9, 1e-6);
  optimizer.max_cost_cents_per_hour = 2000;
  EXPECT_NEAR(BoundCheck(system, optimizer, BatchMode::kMax, stages).bound(0, truth),
              objective + 7 * replicas + 0.5 * 100 * replicas - 7 * 9 - 0.5 * 2000, 1e-4);
  // An option that needs more than there is proves nothing: the server goes without.
  optimizer.max_cost_cents_per_hour = 1;
  EXPECT_NEAR(BoundCheck(system, optimizer, BatchMode::kMax, stages).bound(1, truth), 1 - 0.125 * 9,
              1e-9);
}

}  // namespace
}  // namespace tonnage::verify
