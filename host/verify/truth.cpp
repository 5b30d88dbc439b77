#include "host/verify/truth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {
namespace {

double power(const PerfRow& perf, const Accelerator& accelerator, std::int64_t replicas,
             double rho) {
  return static_cast<double>(replicas) * static_cast<double>(perf.instances_per_replica) *
         accelerator.power_w(rho);
}

}  // namespace

AllocationMetrics idle_truth(const ServerRow& server, const PerfRow& perf,
                             const Accelerator& accelerator, std::int64_t batch,
                             std::int64_t replicas) {
  const double m = static_cast<double>(batch);
  AllocationMetrics r;
  r.itl_ms = perf.alpha_ms + perf.beta_ms;
  r.ttft_ms = r.itl_ms + perf.gamma_ms * m;
  const double busy = r.ttft_ms + perf.alpha_ms + perf.beta_ms * m;
  r.max_rate_per_replica_per_ms = busy >= kLeastParameterMs ? m / busy : 0;
  r.ttft_p50_ms = r.ttft_p90_ms = r.ttft_p95_ms = r.ttft_p99_ms = r.ttft_ms;
  r.response_ms = r.ttft_ms + std::max(0.0, server.out_tokens - 1) * r.itl_ms;
  r.power_w = power(perf, accelerator, replicas, 0);
  return r;
}

AllocationMetrics loaded_truth(const PerfRow& perf, const Accelerator& accelerator,
                               const QueueShape& shape, const QueueMetrics& m,
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
  r.power_w = power(perf, accelerator, replicas, r.rho);
  return r;
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

}  // namespace tonnage
