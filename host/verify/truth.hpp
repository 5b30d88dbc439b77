// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What the model says about one allocation, worked out from its formulas and not by what makes
// plans. Owns: the true metrics, and which targets they miss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/verify/rules.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/queueing.hpp"

namespace tonnage::verify {

// A target counts as held within this.
inline constexpr double kTargetSlack = 1e-6;

// Metrics of an idle server's replicas.
[[nodiscard]] AllocationMetrics idle_truth(const Demand& demand, const Supply& supply,
                                           std::int64_t batch, std::int64_t replicas);

// Metrics of replicas that behave as `m` says; `goodput_per_ms` at the largest rate of one.
[[nodiscard]] AllocationMetrics loaded_truth(const Supply& supply, const QueueShape& shape,
                                             const QueueMetrics& m, double goodput_per_ms,
                                             std::int64_t replicas);

// One accelerator of a combination.
struct PartTruth {
  double share = 0;  // of the load
  std::int64_t replicas = 0;
  AllocationMetrics metrics;
};
// What the server as a whole sees: averages over requests, utilisation and largest rate over
// replicas, power in sum. Of percentiles the largest of any part, which the true one is not above.
[[nodiscard]] AllocationMetrics combined_truth(const std::vector<PartTruth>& parts);

// The targets with `slack` more room, as a share of each.
[[nodiscard]] LatencyTargets loosened(const LatencyTargets& targets, double slack);

struct MissedTarget {
  const char* kind;  // of the violation
  std::string message;
};
[[nodiscard]] std::vector<MissedTarget> missed_targets(const LatencyTargets& targets,
                                                       const QueueMetrics& m,
                                                       std::int64_t max_queue);

}  // namespace tonnage::verify
