// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Allocation::create() under load: numbers compared with the oracle, bounds, and infeasible pairs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "object_samples.hpp"
#include "oracle/sizing.hpp"
#include "queue_samples.hpp"
#include "tonnage/core/allocation.hpp"

namespace tonnage {
namespace {

// The pair (server, accelerator) in the oracle's terms.
oracle::PairInput oracle_input(const System& system, const Server& server,
                               const std::string& accelerator) {
  const Accelerator& a = *system.find_accelerator(accelerator);
  const ModelPerfSpec& p = *system.find_model(server.model())->find_perf(accelerator);
  const Target& t = *system.find_service_class(server.class_name())->find_target(server.model());
  oracle::PairInput in;
  in.alpha = p.perf_parms.alpha_ms;
  in.beta = p.perf_parms.beta_ms;
  in.gamma = p.perf_parms.gamma_ms;
  in.data_max_batch = p.max_batch_size;
  in.at_tokens = p.at_tokens;
  in.acc_count = p.acc_count;
  in.accelerator = accelerator;
  in.accelerator_cost = a.cost_cents_per_hour();
  in.multiplicity = a.multiplicity();
  in.arrival_rate_per_min = server.load().arrival_rate_per_min;
  in.in_tokens = server.load().avg_in_tokens;
  in.out_tokens = server.load().avg_out_tokens;
  in.min_replicas = server.min_num_replicas();
  in.max_batch_override = server.max_batch_size();
  in.max_queue = server.max_queue_size();
  in.targets = {t.itl_ms, t.ttft_ms, t.tps, 0};
  return in;
}

class ApiAllocationCreate : public SampleSystemTest {};

TEST_F(ApiAllocationCreate, AgreesWithTheOracle) {
  for (const auto& accelerator : sample_accelerators()) {
    const Allocation a = create(accelerator);
    const oracle::PairInput in = oracle_input(system_, chat(), accelerator);
    const oracle::PairResult want = oracle::size_pair(in);
    ASSERT_TRUE(want.feasible);
    EXPECT_EQ(a.accelerator(), accelerator);
    EXPECT_EQ(a.num_replicas(), want.replicas);
    EXPECT_EQ(a.max_batch(), want.max_batch);
    EXPECT_NEAR(a.cost_cents_per_hour(), static_cast<double>(want.cost), 1e-9);
    EXPECT_EQ(a.value(), a.cost_cents_per_hour());
    EXPECT_NEAR(a.itl_ms(), static_cast<double>(want.itl), 1e-9 * a.itl_ms());
    EXPECT_NEAR(a.ttft_ms(), static_cast<double>(want.ttft), 1e-9 * a.ttft_ms());
    EXPECT_NEAR(a.rho(), static_cast<double>(want.rho), 1e-9);
    EXPECT_NEAR(a.max_arrival_rate_per_replica(), static_cast<double>(want.max_rate),
                1e-6 * a.max_arrival_rate_per_replica());
    EXPECT_DOUBLE_EQ(a.max_rpm(), a.max_arrival_rate_per_replica() * 60000);
    const PowerSpec& p = system_.find_accelerator(accelerator)->power();
    EXPECT_NEAR(a.metrics().power_w,
                static_cast<double>(oracle::power(p.idle_w, p.mid_util, p.mid_power_w, p.full_w,
                                                  want.rho, want.replicas, in.acc_count)),
                1e-6);
  }
}

TEST_F(ApiAllocationCreate, AgreesWithTheOracleOnRandomPairs) {
  QueueSampler sample;
  int feasible = 0, infeasible = 0;
  for (int i = 0; i < 60; ++i) {
    ServerSpec server = sample_server();
    server.max_queue_size = sample.log_whole(0, 200);
    server.min_num_replicas = sample.whole(1, 3);
    server.max_batch_size = sample.chance(0.5) ? 0 : sample.log_whole(1, 64);
    server.current_alloc.load = {sample.log_uniform(1, 1e5), 0, sample.log_whole(0, 2000),
                                 sample.log_whole(1, 1000)};
    system_.set_server(server);
    system_.set_model_perf(
        {"llm",
         "A",
         sample.whole(0, 4),
         sample.log_whole(1, 64),
         sample.log_whole(64, 1024),
         {sample.log_uniform(1, 30), sample.log_uniform(1e-3, 0.1), sample.log_uniform(1e-6, 1e-3)},
         0});
    const auto target = [&](double low, double high) {
      return sample.chance(0.2) ? 0.0 : sample.log_uniform(low, high);
    };
    system_.set_service_class(
        {"gold",
         1,
         {{"llm", target(5, 200), target(20, 5000), sample.chance(0.8) ? 0.0 : target(10, 1e5)}}});
    const oracle::PairInput in = oracle_input(system_, chat(), "A");
    if (oracle::batch_ceiling(in) > 2000) continue;  // slow in the oracle
    // The contract allows any tolerance up to 1e-6: the replicas lie between those of both ends.
    oracle::SearchOptions strict, loose;
    strict.scan_points = loose.scan_points = 400;
    strict.tolerance = 0;
    loose.tolerance = 1.001e-6L;
    const oracle::PairResult most = oracle::size_pair(in, strict);
    const oracle::PairResult least = oracle::size_pair(in, loose);
    const auto got = Allocation::create(system_, chat(), "A");
    if (most.feasible != least.feasible) continue;
    ASSERT_EQ(got.has_value(), least.feasible) << i;
    if (!got) {
      ++infeasible;
      continue;
    }
    ++feasible;
    EXPECT_GE(got->num_replicas(), least.replicas) << i;
    const auto most_replicas =
        std::max(in.min_replicas,
                 static_cast<std::int64_t>(std::ceil(most.load_over_goodput * (1 + 1e-9L))));
    EXPECT_LE(got->num_replicas(), most_replicas) << i;
    EXPECT_EQ(got->max_batch(), least.max_batch) << i;
    EXPECT_DOUBLE_EQ(
        got->cost_cents_per_hour(),
        300.0 * static_cast<double>(std::max<std::int64_t>(1, in.acc_count) * got->num_replicas()));
  }
  EXPECT_GT(feasible, 0);
  std::printf("%d feasible, %d infeasible\n", feasible, infeasible);
}

TEST_F(ApiAllocationCreate, IsAbsentWhenInfeasible) {
  ServiceClass& gold = *system_.find_service_class("gold");
  gold.set_target({"llm", 8.5, 1000, 0});  // alpha of A alone is 12 ms
  EXPECT_FALSE(Allocation::create(system_, chat(), "A"));
  EXPECT_TRUE(Allocation::create(system_, chat(), "B"));
  gold.set_target({"llm", 0, 5, 0});
  EXPECT_FALSE(Allocation::create(system_, chat(), "A"));
}

TEST_F(ApiAllocationCreate, IsAbsentForUnknownEntities) {
  EXPECT_FALSE(Allocation::create(system_, chat(), "C"));
  EXPECT_FALSE(Allocation::create(system_, chat(), ""));
  system_.set_accelerator({"C", "c-card", 1, 0, 0, {}, 1});
  EXPECT_FALSE(Allocation::create(system_, chat(), "C")) << "no performance data";
  for (const bool unknown_class : {false, true}) {
    ServerSpec spec = sample_server();
    (unknown_class ? spec.class_name : spec.model) = "other";
    EXPECT_FALSE(Allocation::create(system_, Server(spec), "A")) << unknown_class;
  }
  system_.find_service_class("gold")->remove_target("llm");
  EXPECT_FALSE(Allocation::create(system_, chat(), "A")) << "no target";
}

TEST_F(ApiAllocationCreate, TpsTargetReplacesTheLoad) {
  system_.find_service_class("gold")->set_target({"llm", 40, 1000, 20000});
  const Allocation at_600 = create();
  set_rate(6);
  EXPECT_EQ(create(), at_600);
  EXPECT_EQ(at_600.num_replicas(),
            std::ceil(20000.0 / 512 / 1000 / at_600.max_arrival_rate_per_replica()));
}

TEST_F(ApiAllocationCreate, NeverFewerReplicasThanTheMinimum) {
  ServerSpec spec = sample_server();
  spec.min_num_replicas = 1000;
  system_.set_server(spec);
  EXPECT_EQ(create().num_replicas(), 1000);
}

TEST_F(ApiAllocationCreate, MaxReplicasBoundsWhatIsFeasible) {
  const std::int64_t needed = create().num_replicas();
  ServerSpec spec = sample_server();
  spec.max_num_replicas = needed;
  EXPECT_TRUE(Allocation::create(system_, Server(spec), "A"));
  ASSERT_GT(needed, 1);
  spec.max_num_replicas = needed - 1;
  EXPECT_FALSE(Allocation::create(system_, Server(spec), "A"));
}

using SpecChange = void (*)(SystemSpec&);

TEST_F(ApiAllocationCreate, NumbersOutOfRangeGiveNoCandidates) {
  const SpecChange changes[] = {
      [](SystemSpec& s) { s.servers[0].current_alloc.load.arrival_rate_per_min = -1; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.arrival_rate_per_min = NAN; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.arrival_rate_per_min = INFINITY; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.arrival_rate_per_min = 1.1e12; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.avg_in_tokens = -1; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.avg_out_tokens = -1; },
      [](SystemSpec& s) { s.servers[0].current_alloc.load.avg_in_tokens = INT64_MAX; },
      [](SystemSpec& s) { s.servers[0].current_alloc.num_replicas = -1; },
      [](SystemSpec& s) { s.servers[0].current_alloc.cost_cents_per_hour = -1; },
      [](SystemSpec& s) { s.servers[0].current_alloc.cost_cents_per_hour = NAN; },
      [](SystemSpec& s) { s.servers[0].min_num_replicas = -1; },
      [](SystemSpec& s) { s.servers[0].min_num_replicas = kMaxReplicas + 1; },
      [](SystemSpec& s) { s.servers[0].max_num_replicas = -1; },
      [](SystemSpec& s) { s.servers[0].max_batch_size = -1; },
      [](SystemSpec& s) { s.servers[0].max_batch_size = kMaxBatchSize + 1; },
      [](SystemSpec& s) { s.servers[0].max_queue_size = -1; },
      [](SystemSpec& s) { s.servers[0].max_queue_size = kMaxQueueSize + 1; },
      [](SystemSpec& s) { s.servers[0].max_num_tokens = -1; },
      [](SystemSpec& s) { s.service_classes[1].model_targets[0].slo_itl_ms = -1; },
      [](SystemSpec& s) { s.service_classes[1].model_targets[0].slo_ttft_ms = NAN; },
      [](SystemSpec& s) { s.service_classes[1].model_targets[0].slo_tps = -1; },
      [](SystemSpec& s) { s.models[0].acc_count = -1; },
      [](SystemSpec& s) { s.models[0].max_batch_size = -1; },
      [](SystemSpec& s) { s.models[0].max_batch_size = INT64_MAX; },
      [](SystemSpec& s) { s.models[0].at_tokens = -1; },
      [](SystemSpec& s) { s.models[0].max_num_tokens = -1; },
      [](SystemSpec& s) { s.models[0].perf_parms.alpha_ms = -1; },
      [](SystemSpec& s) { s.models[0].perf_parms.beta_ms = -1; },
      [](SystemSpec& s) { s.models[0].perf_parms.gamma_ms = -1; },
      [](SystemSpec& s) { s.models[0].perf_parms.gamma_ms = INFINITY; },
      [](SystemSpec& s) { s.models[0].perf_parms = {}; },
      [](SystemSpec& s) { s.accelerators[0].cost_cents_per_hour = -1; },
      [](SystemSpec& s) { s.accelerators[0].multiplicity = 0; },
      [](SystemSpec& s) { s.accelerators[0].multiplicity = INT64_MAX; },
  };
  int index = 0;
  for (const SpecChange change : changes) {
    SystemSpec spec = sample_spec();
    change(spec);
    System system(spec);
    EXPECT_FALSE(Allocation::create(system, *system.find_server("chat"), "A")) << index;
    system.calculate();
    EXPECT_EQ(system.find_server("chat")->allocations().count("A"), 0u) << index;
    ++index;
  }
}

}  // namespace
}  // namespace tonnage
