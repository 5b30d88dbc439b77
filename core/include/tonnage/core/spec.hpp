// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plain structs with the shape of the spec files: what a user states, before anything is derived.
// Owns: field names, units, defaults and the limits beyond which a file is refused. No behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

// Times are in ms throughout. Files state loads in requests/min and queue problems in requests/s.
inline constexpr double kMsPerMinute = 60000.0;
inline constexpr double kMsPerSecond = 1000.0;
inline constexpr std::int64_t kMaxBatchSize = 1'048'576;
inline constexpr std::int64_t kMaxQueueSize = 1'000'000;
inline constexpr double kMaxArrivalRatePerMin = 1e12;
// Positive rates and iteration times below these overflow in quotients.
inline constexpr double kLeastRatePerMs = 1e-100;    // smaller loads are raised to it
inline constexpr double kLeastParameterMs = 1e-100;  // lower bound of max(alpha, beta, gamma)
inline constexpr std::int64_t kMaxReplicas = 1'000'000'000;
// Token counts and card counts share one bound: large enough for anything real, small enough that
// products of two of them stay exact in float64 and in range in int64.
inline constexpr std::int64_t kMaxCount = 1'000'000'000;
// Prices, times, watts and sizes: far beyond anything real, and products of a few stay finite.
inline constexpr double kMaxAmount = 1e15;
inline constexpr std::int64_t kDefaultMaxNumTokens = 8192;
inline constexpr int kHighestPriority = 1;
inline constexpr int kLowestPriority = 100;
inline constexpr std::string_view kDefaultClassName = "Free";

struct PowerSpec {
  double idle_w = 0;
  double full_w = 0;
  double mid_power_w = 0;
  double mid_util = 0;

  friend bool operator==(const PowerSpec&, const PowerSpec&) = default;
};

struct AcceleratorSpec {
  std::string name;
  std::string type;
  std::int64_t multiplicity = 1;  // cards of `type` in one accelerator
  double mem_size_gb = 0;
  double mem_bw_gb_per_s = 0;
  PowerSpec power;
  double cost_cents_per_hour = 0;

  friend bool operator==(const AcceleratorSpec&, const AcceleratorSpec&) = default;
};

// Iteration time = alpha + beta * (tokens computed) + gamma * (tokens read from the KV cache).
struct PerfParms {
  double alpha_ms = 0;
  double beta_ms = 0;
  double gamma_ms = 0;

  friend bool operator==(const PerfParms&, const PerfParms&) = default;
};

// One row of performance data: a model on an accelerator.
struct ModelPerfSpec {
  std::string name;  // of the model
  std::string acc;
  std::int64_t acc_count = 0;  // accelerator instances per replica; 0 counts as 1
  std::int64_t max_batch_size = 0;
  std::int64_t at_tokens = 0;  // output tokens at which max_batch_size holds
  PerfParms perf_parms;
  std::int64_t max_num_tokens = 0;  // token budget per iteration; 0: kDefaultMaxNumTokens

  friend bool operator==(const ModelPerfSpec&, const ModelPerfSpec&) = default;
};

// Range of the percentile that a TTFT target may bind.
inline constexpr double kMinTtftPercentile = 50;
inline constexpr double kMaxTtftPercentile = 99.9;
// Smallest drop probability that may be a target: chains are summed to 2^-100 of their weight.
inline constexpr double kMinDropTarget = 1e-15;

// SLO targets of a service class for one model; 0: no target.
struct ModelTargetSpec {
  std::string model;
  double slo_itl_ms = 0;
  double slo_ttft_ms = 0;
  double slo_tps = 0;
  double slo_ttft_percentile = 0;  // slo_ttft_ms binds this percentile; 0: the average
  double slo_e2e_ms = 0;           // average response time
  double slo_drop = 0;             // drop probability, kMinDropTarget to below 1

  friend bool operator==(const ModelTargetSpec&, const ModelTargetSpec&) = default;
};

struct ServiceClassSpec {
  std::string name;
  std::int64_t priority = kLowestPriority;
  std::vector<ModelTargetSpec> model_targets;
  std::vector<std::string> excluded_accelerators = {};  // that its servers may not use

  friend bool operator==(const ServiceClassSpec&, const ServiceClassSpec&) = default;
};

struct LoadSpec {
  double arrival_rate_per_min = 0;
  double throughput = 0;
  std::int64_t avg_in_tokens = 0;
  std::int64_t avg_out_tokens = 0;

  friend bool operator==(const LoadSpec&, const LoadSpec&) = default;
};

// One accelerator of an allocation that combines several.
struct AllocationPart {
  std::string accelerator;
  std::int64_t num_replicas = 0;
  std::int64_t max_batch = 0;
  double cost_cents_per_hour = 0;

  friend bool operator==(const AllocationPart&, const AllocationPart&) = default;
};

// Separator between the names of combined accelerators.
inline constexpr std::string_view kPartSeparator = " + ";

struct AllocationSpec {
  std::string accelerator;  // empty: nothing allocated; of several parts: all names
  std::int64_t num_replicas = 0;
  std::int64_t max_batch = 0;
  double cost_cents_per_hour = 0;
  double itl_average_ms = 0;
  double ttft_average_ms = 0;
  LoadSpec load;
  std::vector<AllocationPart> parts = {};  // where accelerators are combined, else empty

  friend bool operator==(const AllocationSpec&, const AllocationSpec&) = default;
};

struct ServerSpec {
  std::string name;
  std::string class_name;  // empty: kDefaultClassName
  std::string model;
  bool keep_accelerator = false;
  std::vector<std::string> excluded_accelerators = {};  // beside those of the class
  std::int64_t min_num_replicas = 0;
  std::int64_t max_num_replicas = 0;  // 0: no bound
  std::int64_t max_batch_size = 0;    // 0: from the performance data
  std::int64_t max_queue_size = 0;
  std::int64_t max_num_tokens = 0;  // token budget per iteration; 0: the performance data's
  AllocationSpec current_alloc;
  AllocationSpec desired_alloc;  // output only; ignored on input

  friend bool operator==(const ServerSpec&, const ServerSpec&) = default;
};

struct CapacitySpec {
  std::string type;
  std::int64_t count = 0;

  friend bool operator==(const CapacitySpec&, const CapacitySpec&) = default;
};

// What happens to servers for which no whole allocation fits the cards left.
enum class SaturationPolicy { kNone, kPriorityExhaustive, kPriorityRoundRobin, kRoundRobin };

// Name as written in files ("None", "PriorityExhaustive", ...).
[[nodiscard]] std::string_view to_string(SaturationPolicy policy);

// Policy of that exact name; false (and `policy` untouched) if there is none.
[[nodiscard]] bool parse_saturation_policy(std::string_view name, SaturationPolicy& policy);

inline constexpr double kMaxHeadroom = 0.99;
inline constexpr std::int64_t kMaxSpareReplicas = 1'000'000;
inline constexpr double kMaxPue = 10;
inline constexpr double kMaxTransitionFactor = 1e6;

struct OptimizerSpec {
  bool unlimited = false;
  bool heterogeneous = false;  // a server may combine replicas of two accelerators
  bool milp_solver = false;
  bool delayed_best_effort = false;
  SaturationPolicy saturation_policy = SaturationPolicy::kNone;
  double headroom = 0;              // share of each type's cards kept free, 0 to kMaxHeadroom
  std::int64_t spare_replicas = 0;  // of each loaded server beyond what its targets need

  // Weights: selection minimises the sum of value, of this multiple of the surcharge for changing
  // accelerators in place of 1, and of the price of the energy drawn.
  double transition_factor = 1;
  double energy_price_cents_per_kwh = 0;
  double pue = 1;  // watts that the site draws per watt of the accelerators, 1 to kMaxPue

  // Limits over all allocations of a plan; absent: none.
  std::optional<double> max_cost_cents_per_hour = {};
  std::optional<double> max_power_w = {};        // of the site: pue counts
  std::optional<std::int64_t> max_changes = {};  // servers allocated otherwise than they are now

  [[nodiscard]] bool has_limits() const noexcept {
    return max_cost_cents_per_hour || max_power_w || max_changes;
  }
  // Whether selection needs to know the power of every option.
  [[nodiscard]] bool weighs_power() const noexcept {
    return energy_price_cents_per_kwh > 0 || max_power_w;
  }

  friend bool operator==(const OptimizerSpec&, const OptimizerSpec&) = default;
};

// How many accelerators, the cheapest for their goodput, a server may combine under
// `heterogeneous`: 31 in fleets of 500 to 2,000 servers, more in smaller fleets, fewer in larger
// ones, at least 4. This bounds the pairs to about a million over all servers.
[[nodiscard]] std::int64_t most_combined_accelerators(std::int64_t num_servers);

struct SystemSpec {
  std::vector<AcceleratorSpec> accelerators;
  std::vector<CapacitySpec> capacities;
  std::vector<ModelPerfSpec> models;
  std::vector<ServiceClassSpec> service_classes;
  std::vector<ServerSpec> servers;
  OptimizerSpec optimizer;

  friend bool operator==(const SystemSpec&, const SystemSpec&) = default;
};

}  // namespace tonnage
