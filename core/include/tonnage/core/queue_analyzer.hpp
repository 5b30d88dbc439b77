// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The queue analyzer: metrics of one replica at a rate, its largest rate within targets, and its
// least concurrency near peak goodput. Owns: these three answers. Times in ms, rates in
// requests/ms.
//
// Example:
//   tonnage::QueueShape shape;
//   shape.service = {12.0, 0.02, 2e-5, 128, 512, 8192};  // alpha, beta, gamma; tokens; budget
//   shape.max_batch = 48;
//   shape.max_queue = 128;
//   tonnage::QueueTargets targets;
//   targets.latency.itl_ms = 30;
//   const tonnage::QueueSizing sizing = tonnage::size_queue(shape, targets);
//   if (sizing.feasible) std::printf("%g requests/ms\n", sizing.rate_per_ms);
#pragma once

#include <cstdint>
#include <functional>

#include "tonnage/core/queueing.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {

// Metrics of a replica at one rate. A percentile of TTFT is that percentile of the wait plus the
// means of prefill and first decode.
struct QueueAnalysis {
  double offered_rate_per_ms = 0;
  QueueMetrics metrics{};
  double max_rate_per_ms = 0;  // kRateHigh * mu(M)
  double ttft_p50_ms = 0;
  double ttft_p90_ms = 0;
  double ttft_p95_ms = 0;
  double ttft_p99_ms = 0;
};

struct QueueTargets {
  LatencyTargets latency;       // 0: no target
  bool has_tps_target = false;  // keeps the rate at or below kTpsShare of the range's end
};

// Result of size_queue(): the largest rate for each target alone (the end of the range without
// one), the largest rate for all targets, and the metrics there.
struct QueueSizing {
  bool feasible = false;
  bool itl_feasible = false;
  bool ttft_feasible = false;
  double rate_for_itl_per_ms = 0;
  double rate_for_ttft_per_ms = 0;
  double rate_for_tps_per_ms = 0;
  double rate_per_ms = 0;     // the largest at which every target holds
  double goodput_per_ms = 0;  // throughput there
  // Latencies at the low end of the range: the best this replica can do.
  double best_itl_ms = 0;
  double best_ttft_ms = 0;
  QueueAnalysis achieved;  // at rate_per_ms; empty when infeasible
};

// Result of optimize_concurrency().
struct QueueOptimum {
  bool feasible = false;
  std::int64_t concurrency = 1;  // least M with goodput >= kNearPeak of the largest over 1..ceiling
  double goodput_per_ms = 0;     // at that M
  double peak_goodput_per_ms = 0;
  std::int64_t peak_concurrency = 1;
  // Largest batch (at least 1, at most the ceiling) whose state-B ITL, prefill is within target.
  std::int64_t max_batch_for_itl = 1;
  std::int64_t max_batch_for_ttft = 1;
  QueueAnalysis achieved;  // at that M and its largest rate; at M = 1, rate low, when infeasible
};

inline constexpr double kNearPeak = 0.98;

// Throws Error (kInvalidInput) naming the field unless alpha, beta, gamma are finite, >= 0 and one
// of them is at least kLeastParameterMs, in_tokens >= 0, out_tokens >= 1, token_budget >= 1,
// 1 <= max_batch <= kMaxBatchSize, 0 <= max_queue <= kMaxQueueSize.
void require_valid(const QueueShape& shape);

// Metrics at `rate_per_ms` requests/ms, overload included (docs/model.md). Throws as
// require_valid, and unless rate_per_ms is finite and at least kLeastRatePerMs.
[[nodiscard]] QueueAnalysis analyze_queue(const QueueShape& shape, double rate_per_ms);

// The largest rate within the targets (docs/model.md). Throws as require_valid, and for
// negative or non-finite targets.
[[nodiscard]] QueueSizing size_queue(const QueueShape& shape, const QueueTargets& targets);

// The least concurrency M <= shape.max_batch whose goodput is within kNearPeak of the peak. Covers
// every M, but bounds spare most of them a sizing (goodput_search.hpp). `check` is called now and
// then; its exceptions are passed on. Throws as size_queue.
[[nodiscard]] QueueOptimum optimize_concurrency(const QueueShape& shape,
                                                const QueueTargets& targets,
                                                const std::function<void()>& check = {});

}  // namespace tonnage
