// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Metrics of replicas with and without load, and the targets that they miss.
#include "host/verify/truth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/wait_distribution.hpp"

namespace tonnage::verify {

AllocationMetrics idle_truth(const Demand& demand, const Supply& supply, std::int64_t batch,
                             std::int64_t replicas) {
  const PerfParms& p = supply.data->perf_parms;
  const double m = static_cast<double>(batch);
  const double out_tokens = static_cast<double>(demand.server->current_alloc.load.avg_out_tokens);
  AllocationMetrics r;
  r.itl_ms = p.alpha_ms + p.beta_ms;
  r.ttft_ms = r.itl_ms + p.gamma_ms * m;
  const double busy = r.ttft_ms + p.alpha_ms + p.beta_ms * m;
  r.max_rate_per_replica_per_ms = busy >= kLeastParameterMs ? m / busy : 0;
  r.ttft_p50_ms = r.ttft_p90_ms = r.ttft_p95_ms = r.ttft_p99_ms = r.ttft_ms;
  r.response_ms = r.ttft_ms + std::max(0.0, out_tokens - 1) * r.itl_ms;
  r.power_w = replicas_power_w(supply, replicas, 0);
  return r;
}

AllocationMetrics loaded_truth(const Supply& supply, const QueueShape& shape, const QueueMetrics& m,
                               double goodput_per_ms, std::int64_t replicas) {
  AllocationMetrics r;
  r.itl_ms = m.itl_ms;
  r.ttft_ms = m.ttft_ms;
  r.response_ms = m.wait_ms + m.service_ms;
  r.rho = m.utilization;
  r.drop_probability = m.drop_probability;
  r.max_rate_per_replica_per_ms = goodput_per_ms;
  r.ttft_p50_ms = ttft_quantile(m, shape.max_queue, 0.50);
  r.ttft_p90_ms = ttft_quantile(m, shape.max_queue, 0.90);
  r.ttft_p95_ms = ttft_quantile(m, shape.max_queue, 0.95);
  r.ttft_p99_ms = ttft_quantile(m, shape.max_queue, 0.99);
  r.power_w = replicas_power_w(supply, replicas, r.rho);
  return r;
}

AllocationMetrics combined_truth(const std::vector<PartTruth>& parts) {
  double replicas = 0;
  for (const PartTruth& part : parts) replicas += static_cast<double>(part.replicas);
  AllocationMetrics r;
  for (const PartTruth& part : parts) {
    const AllocationMetrics& m = part.metrics;
    r.itl_ms += part.share * m.itl_ms;
    r.ttft_ms += part.share * m.ttft_ms;
    r.response_ms += part.share * m.response_ms;
    r.drop_probability += part.share * m.drop_probability;
    const double of_replicas = static_cast<double>(part.replicas) / replicas;
    r.rho += of_replicas * m.rho;
    r.max_rate_per_replica_per_ms += of_replicas * m.max_rate_per_replica_per_ms;
    r.ttft_p50_ms = std::max(r.ttft_p50_ms, m.ttft_p50_ms);
    r.ttft_p90_ms = std::max(r.ttft_p90_ms, m.ttft_p90_ms);
    r.ttft_p95_ms = std::max(r.ttft_p95_ms, m.ttft_p95_ms);
    r.ttft_p99_ms = std::max(r.ttft_p99_ms, m.ttft_p99_ms);
    r.power_w += m.power_w;
  }
  return r;
}

LatencyTargets loosened(const LatencyTargets& targets, double slack) {
  LatencyTargets loose = targets;
  for (double* target : {&loose.itl_ms, &loose.ttft_ms, &loose.e2e_ms, &loose.drop}) {
    *target *= 1 + slack;
  }
  return loose;
}

std::vector<MissedTarget> missed_targets(const LatencyTargets& targets, const QueueMetrics& m,
                                         std::int64_t max_queue) {
  std::vector<MissedTarget> missed;
  const auto compare = [&](const char* kind, const char* what, double figure, double target,
                           const std::string& where = "", const char* unit = " ms") {
    if (!(target > 0) || figure <= target * (1 + kTargetSlack)) return;
    missed.push_back({kind, fmt::format("{} is {:.6g}{}{}, target {:.6g}{}", what, figure, unit,
                                        where, target, unit)});
  };
  compare("itl-target", "ITL", m.itl_ms, targets.itl_ms);
  if (targets.binds_percentile()) {
    compare("ttft-target", "TTFT", ttft_quantile(m, max_queue, targets.ttft_percentile / 100),
            targets.ttft_ms, fmt::format(" at percentile {}", targets.ttft_percentile));
  } else {
    compare("ttft-target", "TTFT", m.ttft_ms, targets.ttft_ms);
  }
  compare("e2e-target", "response time", m.wait_ms + m.service_ms, targets.e2e_ms);
  compare("drop-target", "drop probability", m.drop_probability, targets.drop, "", "");
  return missed;
}

}  // namespace tonnage::verify
