// What the model says about one allocation, worked out from its formulas and not by what makes
// plans. Owns: the true metrics, and which targets they miss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tonnage/core/problem.hpp"

namespace tonnage {

// A target counts as held within this.
inline constexpr double kTargetSlack = 1e-6;

// Metrics of an idle server's replicas.
[[nodiscard]] AllocationMetrics idle_truth(const ServerRow& server, const PerfRow& perf,
                                           const Accelerator& accelerator, std::int64_t batch,
                                           std::int64_t replicas);

// Metrics of replicas that behave as `m` says; `goodput_per_ms` at the largest rate of one.
[[nodiscard]] AllocationMetrics loaded_truth(const PerfRow& perf, const Accelerator& accelerator,
                                             const QueueShape& shape, const QueueMetrics& m,
                                             double goodput_per_ms, std::int64_t replicas);

struct MissedTarget {
  const char* kind;  // of the violation
  std::string message;
};
[[nodiscard]] std::vector<MissedTarget> missed_targets(const LatencyTargets& targets,
                                                       const QueueMetrics& m,
                                                       std::int64_t max_queue);

}  // namespace tonnage
