// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Random fleets come back from their files exactly as they were written.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "spec_text.hpp"
#include "support/seed.hpp"
#include "temporary_folder.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/spec_writer.hpp"

namespace tonnage::test {
namespace {

class RandomSpec {
 public:
  explicit RandomSpec(std::uint64_t seed) : random_(seed) {}

  SystemSpec make() {
    SystemSpec spec;
    for (std::size_t i = 0, n = random_() % 4; i < n; ++i) {
      spec.accelerators.push_back({.name = name(i),
                                   .type = name(i % 2),
                                   .multiplicity = 1 + integer(kMaxCount - 1),
                                   .mem_size_gb = number(),
                                   .mem_bw_gb_per_s = number(),
                                   .power = power(),
                                   .cost_cents_per_hour = number()});
      spec.capacities.push_back({.type = name(i), .count = integer(kMaxCount)});
      spec.models.push_back(
          {.name = name(i),
           .acc = name(0),
           .acc_count = integer(kMaxCount),
           .max_batch_size = integer(1000),
           .at_tokens = integer(1000),
           .perf_parms = {.alpha_ms = number(), .beta_ms = number(), .gamma_ms = number()},
           .max_num_tokens = integer(kMaxCount)});
      spec.service_classes.push_back(
          {.name = name(i), .priority = 1 + integer(99), .model_targets = {}});
      if (flag()) spec.service_classes.back().excluded_accelerators = {name(0), name(1)};
      for (std::size_t j = 0; j < i; ++j) {
        spec.service_classes.back().model_targets.push_back(
            {.model = name(j),
             .slo_itl_ms = number(),
             .slo_ttft_ms = number(),
             .slo_tps = number(),
             .slo_ttft_percentile = flag() ? 0 : 50 + 49.9 * share(),
             .slo_e2e_ms = number(),
             .slo_drop = flag() ? 0 : share()});
      }
      spec.servers.push_back(server(i));
    }
    spec.optimizer = {.unlimited = flag(),
                      .heterogeneous = flag(),
                      .milp_solver = flag(),
                      .delayed_best_effort = flag(),
                      .saturation_policy = static_cast<SaturationPolicy>(random_() % 4),
                      .headroom = flag() ? 0 : kMaxHeadroom * share(),
                      .spare_replicas = flag() ? 0 : static_cast<std::int64_t>(random_() % 9),
                      .transition_factor = flag() ? 1 : kMaxTransitionFactor * share(),
                      .energy_price_cents_per_kwh = flag() ? 0 : number(),
                      .pue = flag() ? 1 : 1 + (kMaxPue - 1) * share()};
    if (flag()) spec.optimizer.max_cost_cents_per_hour = number();
    if (flag()) spec.optimizer.max_power_w = number();
    if (flag()) spec.optimizer.max_changes = integer(kMaxCount);
    return spec;
  }

 private:
  bool flag() { return random_() % 2 == 0; }

  std::int64_t integer(std::int64_t max) {
    switch (random_() % 3) {
      case 0:
        return 0;
      case 1:
        return max;
      default:
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(max + 1));
    }
  }

  // Above 0 and below 1.
  double share() { return 1e-6 + 0.99 * static_cast<double>(random_()) / 1.8446744073709552e19; }

  // Any bit pattern of an amount that is accepted, subnormal ones included.
  double number() {
    if (random_() % 4 == 0) return static_cast<double>(random_() % 1000);
    const double value = std::abs(std::bit_cast<double>(random_()));
    return value <= kMaxAmount ? value : 0;
  }

  PowerSpec power() {
    if (flag()) return {};
    return {.idle_w = number(), .full_w = number(), .mid_power_w = number(), .mid_util = share()};
  }

  // Distinct for distinct i, with everything that needs care in JSON.
  std::string name(std::size_t i) {
    static const std::string parts[] = {"plain", "with \"quotes\" and \\",
                                        "caf\xC3\xA9 \xF0\x9F\x9A\x80",
                                        std::string("nul\0tab\t", 8)};
    return parts[i % 4] + std::to_string(i);
  }

  AllocationSpec allocation() {
    return {.accelerator = flag() ? name(0) : "",
            .num_replicas = integer(kMaxReplicas),
            .max_batch = integer(kMaxBatchSize),
            .cost_cents_per_hour = number(),
            .itl_average_ms = number(),
            .ttft_average_ms = number(),
            .load = {.arrival_rate_per_min = std::fmod(number(), kMaxArrivalRatePerMin),
                     .throughput = number(),
                     .avg_in_tokens = integer(kMaxCount),
                     .avg_out_tokens = 1 + integer(kMaxCount - 1)}};
  }

  ServerSpec server(std::size_t i) {
    return {.name = name(i),
            .class_name = flag() ? name(i) : "",
            .model = name(i),
            .keep_accelerator = flag(),
            .excluded_accelerators =
                flag() ? std::vector<std::string>{} : std::vector<std::string>{name(i)},
            .min_num_replicas = integer(kMaxReplicas),
            .max_num_replicas = integer(kMaxReplicas),
            .max_batch_size = integer(kMaxBatchSize),
            .max_queue_size = integer(kMaxQueueSize),
            .max_num_tokens = integer(kMaxCount),
            .current_alloc = allocation(),
            .desired_alloc = {}};
  }

  std::mt19937_64 random_;
};

TEST(SpecRoundTrip, RandomFleetsReadBackEqual) {
  RandomSpec source(testing::test_seed());
  const TemporaryFolder folder;
  for (int round = 0; round < 500; ++round) {
    const SystemSpec spec = source.make();
    const std::string text = system_to_json(spec);
    const SpecReadResult result = read_system_from_string(text, "test.json");
    ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.to_text() << text;
    ASSERT_EQ(result.spec, spec) << text;
    if (round >= 20) continue;
    write_system_folder(spec, folder.path());
    ASSERT_EQ(read_system(folder.path()).spec, spec) << text;
  }
}

TEST(SpecRoundTrip, TheDesiredAllocationIsWrittenAndIgnoredOnInput) {
  SystemSpec spec = read_system_from_string(kFullSpec, "test.json").spec;
  EXPECT_EQ(system_to_json(spec).find("desiredAlloc"), std::string::npos);
  spec.servers[0].desired_alloc = spec.servers[0].current_alloc;
  const std::string text = system_to_json(spec);
  EXPECT_NE(text.find("desiredAlloc"), std::string::npos);
  spec.servers[0].desired_alloc = {};
  EXPECT_EQ(read_system_from_string(text, "test.json").spec, spec);
}

TEST(SpecRoundTrip, FieldsOfThisProjectAreLeftOutWhenZero) {
  SystemSpec spec = read_system_from_string(kFullSpec, "test.json").spec;
  EXPECT_NE(system_to_json(spec).find("maxNumTokens"), std::string::npos);
  spec.servers[0].max_num_replicas = spec.servers[0].max_num_tokens = 0;
  spec.models[0].max_num_tokens = 0;
  EXPECT_EQ(system_to_json(spec).find("maxNum"), std::string::npos);
}

TEST(SpecRoundTrip, WhatJsonCannotHoldIsAnErrorAndWritesNothing) {
  const TemporaryFolder folder;
  SystemSpec spec = read_system_from_string(kFullSpec, "test.json").spec;
  spec.servers[0].name = "\xC3";
  EXPECT_THROW((void)system_to_json(spec), Error);
  EXPECT_THROW(write_system_folder(spec, folder / "fleet"), Error);
  spec.servers[0].name = "s";
  spec.accelerators[0].cost_cents_per_hour = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((void)system_to_json(spec), Error);
  EXPECT_THROW(write_system_folder(spec, folder / "fleet"), Error);
  EXPECT_EQ(folder.num_entries(), 0U);
}

}  // namespace
}  // namespace tonnage::test
