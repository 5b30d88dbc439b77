// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Tail and quantile of the waiting time. The formulas are in tonnage/core/wait_kernel.hpp.
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {

WaitTail wait_tail(const QueueMetrics& metrics, std::int64_t max_queue, double t_ms) {
  return compute_wait_tail(metrics, max_queue, t_ms);
}

double wait_quantile(const QueueMetrics& metrics, std::int64_t max_queue, double probability) {
  return search_wait_quantile(
      [&](double t_ms) { return compute_wait_tail(metrics, max_queue, t_ms); },
      metrics.full_rate_per_ms, max_queue, probability);
}

}  // namespace tonnage
