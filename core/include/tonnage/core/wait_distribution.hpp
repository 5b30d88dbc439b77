// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The waiting time of an accepted request: exact tail and quantiles within the model
// (docs/model.md). Owns: P(wait > t) and its inverse for host code. Every backend gives the same
// bits.
//
// Example:
//   const tonnage::ServiceParams service{12.0, 0.02, 2e-5, 128, 512, 8192};
//   const tonnage::QueueMetrics metrics = tonnage::evaluate_queue(service, 48, 128, 0.002);
//   std::printf("p99 of the wait: %g ms\n", tonnage::wait_quantile(metrics, 128, 0.99));
#pragma once

#include <cstdint>

#include "tonnage/core/wait_kernel.hpp"

namespace tonnage {

// P(wait > t) for t >= 0: an accepted arrival that finds M+j requests waits for j+1 departures at
// rate mu(M). With y = mu(M) t and W_i the probability of finding at least M+i, the sum over j of
// P(j) P(Poisson(y) <= j) is the sum over i of P(Poisson(y) = i) W_i: positive terms with a single
// peak, summed over a window of O(sqrt(y)) around it. Absolute accuracy about 1e-13.
[[nodiscard]] WaitTail wait_tail(const QueueMetrics& metrics, std::int64_t max_queue, double t_ms);

// Least t with P(wait <= t) >= probability, for 0 < probability < 1; 0 when that many do not wait.
[[nodiscard]] double wait_quantile(const QueueMetrics& metrics, std::int64_t max_queue,
                                   double probability);

// Percentile of TTFT: that of the wait, plus prefill and first decode at their means.
[[nodiscard]] inline double ttft_quantile(const QueueMetrics& metrics, std::int64_t max_queue,
                                          double probability) {
  return wait_quantile(metrics, max_queue, probability) + metrics.prefill_ms + metrics.itl_ms;
}

}  // namespace tonnage
