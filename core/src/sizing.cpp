#include "tonnage/core/sizing.hpp"

#include <cmath>

#include "tonnage/core/spec.hpp"

namespace tonnage {

std::int64_t replicas_needed(double total_rate_per_ms, double per_replica_per_ms,
                             std::int64_t min_replicas) {
  const double needed = std::ceil(total_rate_per_ms / per_replica_per_ms);
  if (!(needed <= static_cast<double>(kMaxReplicas))) return 0;
  const auto replicas = static_cast<std::int64_t>(needed);
  return replicas > min_replicas ? replicas : min_replicas;
}

RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                             bool has_tps_target) {
  return size_rate(shape, targets, has_tps_target);
}

}  // namespace tonnage
