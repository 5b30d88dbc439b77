// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizes single lines, and computes value, cost and metrics of their answers. Needs rows only, no
// System.
#include "tonnage/core/line.hpp"

#include <algorithm>
#include <cmath>

#include "tonnage/core/problem.hpp"
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {

std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kUnknownClass:
      return "the service class is unknown";
    case Reason::kUnknownModel:
      return "the model is unknown";
    case Reason::kNoTarget:
      return "the service class has no target for the model";
    case Reason::kInvalidServer:
      return "a number of the server or its target is out of range";
    case Reason::kUnknownAccelerator:
      return "the accelerator is unknown";
    case Reason::kNoPerfData:
      return "no performance data for the model on this accelerator";
    case Reason::kKeptElsewhere:
      return "kept on another accelerator";
    case Reason::kExcluded:
      return "excluded by the server or its class";
    case Reason::kInvalidPerfData:
      return "the performance data or the batch size it gives is out of range, or all parameters "
             "are 0 or below 1e-100 ms";
    case Reason::kItlTarget:
      return "ITL misses its target at any load";
    case Reason::kTtftTarget:
      return "TTFT misses its target at any load";
    case Reason::kE2eTarget:
      return "response time misses its target at any load";
    case Reason::kDropTarget:
      return "drop probability misses its target at any load";
    case Reason::kRateRange:
      return "no arrival rate is sustainable";
    case Reason::kTooManyReplicas:
      return "more than 1,000,000,000 replicas needed";
    case Reason::kAboveMaxReplicas:
      return "more replicas needed than maxNumReplicas";
    case Reason::kNoCandidates:
      return "no accelerator can meet the targets";
    case Reason::kNoCapacity:
      return "not enough cards left";
  }
  return "unknown";
}

LineOutcome finish_line(const ServerRow& server, const PerfRow& perf, std::int64_t max_batch,
                        const RateSearch<double>& found) {
  if (!server.targets.binds_percentile()) {
    return finish_line_on_averages(server, perf, max_batch, found);
  }
  const double level = server.targets.ttft_percentile / 100;
  return finish_line_with(server, perf, max_batch, found,
                          percentile_figures([&](const QueueMetrics& m, std::int64_t q) {
                            return ttft_quantile(m, q, level);
                          }));
}

LineOutcome size_line(const ServerRow& server, const PerfRow& perf) {
  LineOutcome r;
  if (server.load_kind == LoadKind::kUnplannable) {
    r.reason = server.reason;
    return r;
  }
  if (!perf.valid) {
    r.reason = Reason::kInvalidPerfData;
    return r;
  }
  if (server.load_kind == LoadKind::kEmpty) return r;
  const std::int64_t n = batch_ceiling(server, perf);
  if (server.load_kind == LoadKind::kIdle) {
    r.max_batch = n;
    r.num_replicas = server.min_replicas;
    if (server.max_replicas > 0 && r.num_replicas > server.max_replicas) {
      r.reason = Reason::kAboveMaxReplicas;
    }
    const double batch = static_cast<double>(n);
    const double denominator = (perf.alpha_ms + perf.beta_ms) + perf.gamma_ms * batch +
                               (perf.alpha_ms + perf.beta_ms * batch);
    r.rate_per_replica_per_ms = denominator >= kLeastParameterMs ? batch / denominator : 0;
    return r;
  }
  if (!needs_search(server, perf)) {
    r.reason = Reason::kInvalidPerfData;
    return r;
  }
  return finish_line(
      server, perf, n,
      size_pair(queue_shape(server, perf, n), server.targets, server.has_tps_target));
}

double transition_penalty(bool same_accelerator, std::int64_t replicas_from, double cost_from,
                          std::int64_t replicas_to, double cost_to) {
  if (same_accelerator) return replicas_from == replicas_to ? 0.0 : cost_to - cost_from;
  return 0.1 * (cost_from + cost_to) + cost_to - cost_from;
}

double rounded_value(double value) { return std::nearbyint(value * 1e6); }

double line_cost(const PerfRow& perf, const LineOutcome& outcome) {
  return perf.cost_per_replica * static_cast<double>(outcome.num_replicas);
}

double line_value(const ServerRow& server, const PerfRow& perf, const LineOutcome& outcome) {
  const std::int32_t accelerator = outcome.num_replicas == 0 ? kNoAccelerator : perf.accelerator;
  return transition_penalty(server.current_accelerator == accelerator, server.current_replicas,
                            server.current_cost, outcome.num_replicas, line_cost(perf, outcome));
}

namespace {

QueueMetrics queue_metrics(const QueueShape& shape, const ServerRow& server,
                           const LineOutcome& outcome) {
  return evaluate_queue(shape.service, outcome.max_batch, shape.max_queue,
                        server.total_rate_per_ms / static_cast<double>(outcome.num_replicas));
}

double power_at(const PerfRow& perf, const Accelerator& accelerator, const LineOutcome& outcome,
                double rho) {
  return static_cast<double>(outcome.num_replicas) *
         static_cast<double>(perf.instances_per_replica) * accelerator.power_w(rho);
}

}  // namespace

double allocation_power_w(const ServerRow& server, const PerfRow& perf,
                          const Accelerator& accelerator, const LineOutcome& outcome) {
  if (outcome.num_replicas <= 0) return 0;
  if (server.load_kind != LoadKind::kLoaded) return power_at(perf, accelerator, outcome, 0);
  const QueueShape shape = queue_shape(server, perf, outcome.max_batch);
  return power_at(perf, accelerator, outcome, queue_metrics(shape, server, outcome).utilization);
}

AllocationMetrics combined_metrics(std::span<const PartMetrics> parts) {
  AllocationMetrics r;
  double replicas = 0;
  for (const PartMetrics& part : parts) {
    const AllocationMetrics& m = part.metrics;
    const auto n = static_cast<double>(part.num_replicas);
    r.itl_ms += part.share * m.itl_ms;
    r.ttft_ms += part.share * m.ttft_ms;
    r.response_ms += part.share * m.response_ms;
    r.drop_probability += part.share * m.drop_probability;
    r.rho += n * m.rho;
    r.max_rate_per_replica_per_ms += n * m.max_rate_per_replica_per_ms;
    r.ttft_p50_ms = std::max(r.ttft_p50_ms, m.ttft_p50_ms);
    r.ttft_p90_ms = std::max(r.ttft_p90_ms, m.ttft_p90_ms);
    r.ttft_p95_ms = std::max(r.ttft_p95_ms, m.ttft_p95_ms);
    r.ttft_p99_ms = std::max(r.ttft_p99_ms, m.ttft_p99_ms);
    r.power_w += m.power_w;
    replicas += n;
  }
  if (replicas > 0) {
    r.rho /= replicas;
    r.max_rate_per_replica_per_ms /= replicas;
  }
  return r;
}

AllocationMetrics allocation_metrics(const ServerRow& server, const PerfRow& perf,
                                     const Accelerator& accelerator, const LineOutcome& outcome) {
  AllocationMetrics r;
  if (outcome.num_replicas <= 0) return r;
  r.max_rate_per_replica_per_ms = outcome.rate_per_replica_per_ms;
  if (server.load_kind == LoadKind::kLoaded) {
    const QueueShape shape = queue_shape(server, perf, outcome.max_batch);
    const QueueMetrics m = queue_metrics(shape, server, outcome);
    r.itl_ms = m.itl_ms;
    r.ttft_ms = m.ttft_ms;
    r.response_ms = m.wait_ms + m.service_ms;
    r.rho = m.utilization;
    r.drop_probability = m.drop_probability;
    r.ttft_p50_ms = ttft_quantile(m, shape.max_queue, 0.50);
    r.ttft_p90_ms = ttft_quantile(m, shape.max_queue, 0.90);
    r.ttft_p95_ms = ttft_quantile(m, shape.max_queue, 0.95);
    r.ttft_p99_ms = ttft_quantile(m, shape.max_queue, 0.99);
  } else {
    r.itl_ms = perf.alpha_ms + perf.beta_ms;
    r.ttft_ms = r.itl_ms + perf.gamma_ms * static_cast<double>(outcome.max_batch);
    r.ttft_p50_ms = r.ttft_p90_ms = r.ttft_p95_ms = r.ttft_p99_ms = r.ttft_ms;
    r.response_ms = r.ttft_ms + std::max(0.0, server.out_tokens - 1) * r.itl_ms;
  }
  r.power_w = power_at(perf, accelerator, outcome, r.rho);
  return r;
}

}  // namespace tonnage
