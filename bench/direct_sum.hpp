// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The baseline of the benchmarks: plain scalar direct summation of the chain for one candidate, and
// bisection over it, without the recursion. Compiled with the same flags as everything else.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tonnage/core/sizing.hpp"

namespace tonnage::bench {

struct DirectMetrics {
  double throughput, in_service, service_ms, wait_ms, prefill_ms, itl_ms, ttft_ms, utilization,
      drop_probability;
};

// Departure rates mu(1..M) of a queue; index 0 is unused.
inline std::vector<double> departure_rates(const QueueShape& shape) {
  std::vector<double> mu(static_cast<std::size_t>(shape.max_batch) + 1);
  for (std::int64_t n = 1; n <= shape.max_batch; ++n) {
    mu[n] = departure_rate(shape.service, static_cast<double>(n));
  }
  return mu;
}

// All metrics at one batch size and rate: every state summed, O(M + Q).
inline DirectMetrics direct_sum(const ServiceParams& service, const std::vector<double>& mu,
                                std::int64_t max_batch, std::int64_t max_queue, double rate) {
  double weight = 1, sum = 1, in_service = 0, in_system = 0;
  const auto keep_in_range = [&] {
    if (weight <= 1e250) return;
    weight *= 1e-250;
    sum *= 1e-250;
    in_service *= 1e-250;
    in_system *= 1e-250;
  };
  for (std::int64_t n = 1; n <= max_batch; ++n) {
    weight *= rate / mu[n];
    keep_in_range();
    sum += weight;
    in_service += static_cast<double>(n) * weight;
    in_system += static_cast<double>(n) * weight;
  }
  for (std::int64_t n = max_batch + 1; n <= max_batch + max_queue; ++n) {
    weight *= rate / mu[max_batch];
    keep_in_range();
    sum += weight;
    in_service += static_cast<double>(max_batch) * weight;
    in_system += static_cast<double>(n) * weight;
  }
  DirectMetrics r;
  r.drop_probability = weight / sum;
  r.in_service = in_service / sum;
  r.throughput = rate * (1 - r.drop_probability);
  r.service_ms = r.in_service / r.throughput;
  r.wait_ms = (in_system / sum - r.in_service) / r.throughput;
  const double batch =
      std::clamp(std::floor(r.in_service + 0.5), 1.0, static_cast<double>(max_batch));
  const ServiceSegment s = service_segment(service, chunk_count(service, batch));
  r.prefill_ms =
      prefill_time(service.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms, r.in_service);
  r.itl_ms = (r.service_ms - r.prefill_ms) / service.out_tokens;
  r.ttft_ms = r.wait_ms + r.prefill_ms + r.itl_ms;
  r.utilization = r.in_service / static_cast<double>(max_batch);
  return r;
}

inline bool within(const DirectMetrics& m, const LatencyTargets& t) {
  return (t.itl_ms <= 0 || m.itl_ms <= t.itl_ms) && (t.ttft_ms <= 0 || m.ttft_ms <= t.ttft_ms);
}

// The largest rate within the targets, to a relative 1e-6, the tolerance of the conformance
// answers; 0 if the low end of the range misses them.
inline double bisect_rate(const QueueShape& shape, const LatencyTargets& targets) {
  const std::vector<double> mu = departure_rates(shape);
  double low = kRateLow * mu[1];
  double high = kRateHigh * mu[shape.max_batch];
  const auto holds = [&](double rate) {
    return within(direct_sum(shape.service, mu, shape.max_batch, shape.max_queue, rate), targets);
  };
  if (!holds(low)) return 0;
  if (holds(high)) return high;
  while (high - low > 1e-6 * high) {
    const double middle = 0.5 * (low + high);
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace tonnage::bench
