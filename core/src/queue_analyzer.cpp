// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The three answers of the queue analyzer, and the checks of their arguments. The formulas are in
// tonnage/core/queueing.hpp and sizing.hpp.
#include "tonnage/core/queue_analyzer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tonnage/core/error.hpp"
#include "tonnage/core/goodput_search.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {
namespace {

void require(bool holds, const char* field, double value, const char* expected) {
  if (holds) return;
  throw Error(ErrorCode::kInvalidInput,
              std::string(field) + " is " + fmt::format("{}", value) + ", expected " + expected);
}

void require_amount(const char* field, double value) {
  require(std::isfinite(value) && value >= 0, field, value, "a finite number >= 0");
}

void require_valid(const QueueTargets& targets) {
  require_amount("targetITL", targets.latency.itl_ms);
  require_amount("targetTTFT", targets.latency.ttft_ms);
}

// Largest batch of 1..ceiling at which a latency that rises with the batch is within target.
template <class Latency>
std::int64_t largest_batch_within(const Latency& latency, double target, std::int64_t ceiling) {
  if (!(target > 0)) return ceiling;
  std::int64_t low = 1, high = ceiling + 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    const bool within = latency(static_cast<double>(middle)) <= target * (1 + kTargetTolerance);
    (within ? low : high) = middle;
  }
  return low;
}

}  // namespace

void require_valid(const QueueShape& shape) {
  const ServiceParams& p = shape.service;
  require_amount("alpha", p.alpha_ms);
  require_amount("beta", p.beta_ms);
  require_amount("gamma", p.gamma_ms);
  require(has_service_time(p.alpha_ms, p.beta_ms, p.gamma_ms), "alpha", p.alpha_ms,
          "a number of at least 1e-100 among alpha, beta and gamma");
  require_amount("avgInputTokens", p.in_tokens);
  require(std::isfinite(p.out_tokens) && p.out_tokens >= 1, "avgOutputTokens", p.out_tokens,
          "a number >= 1");
  require(std::isfinite(p.token_budget) && p.token_budget >= 1, "maxNumTokens", p.token_budget,
          "a number >= 1");
  require(shape.max_batch >= 1 && shape.max_batch <= kMaxBatchSize, "maxBatchSize",
          static_cast<double>(shape.max_batch), "1..1048576");
  require(shape.max_queue >= 0 && shape.max_queue <= kMaxQueueSize, "maxQueueSize",
          static_cast<double>(shape.max_queue), "0..1000000");
}

QueueAnalysis analyze_queue(const QueueShape& shape, double rate_per_ms) {
  require_valid(shape);
  require(std::isfinite(rate_per_ms) && rate_per_ms >= kLeastRatePerMs, "RPS",
          rate_per_ms * kMsPerSecond, "a finite number >= 1e-97");
  QueueAnalysis r;
  r.offered_rate_per_ms = rate_per_ms;
  r.metrics = evaluate_queue(shape.service, shape.max_batch, shape.max_queue, rate_per_ms);
  r.max_rate_per_ms = kRateHigh * r.metrics.full_rate_per_ms;
  r.ttft_p50_ms = ttft_quantile(r.metrics, shape.max_queue, 0.50);
  r.ttft_p90_ms = ttft_quantile(r.metrics, shape.max_queue, 0.90);
  r.ttft_p95_ms = ttft_quantile(r.metrics, shape.max_queue, 0.95);
  r.ttft_p99_ms = ttft_quantile(r.metrics, shape.max_queue, 0.99);
  return r;
}

QueueSizing size_queue(const QueueShape& shape, const QueueTargets& targets) {
  require_valid(shape);
  require_valid(targets);
  QueueSizing r;
  const RateRange range = rate_range(shape, targets.has_tps_target);
  if (!(range.low_per_ms <= range.high_per_ms)) return r;
  const LatencyTargets& t = targets.latency;
  const RateSearch<double> by_itl = size_pair(shape, {t.itl_ms, 0}, false);
  const RateSearch<double> by_ttft = size_pair(shape, {0, t.ttft_ms}, false);
  const RateSearch<double> by_all = size_pair(shape, t, targets.has_tps_target);
  r.itl_feasible = by_itl.feasible;
  r.ttft_feasible = by_ttft.feasible;
  r.rate_for_itl_per_ms = by_itl.feasible ? by_itl.rate_per_ms : 0;
  r.rate_for_ttft_per_ms = by_ttft.feasible ? by_ttft.rate_per_ms : 0;
  r.rate_for_tps_per_ms = range.high_per_ms;
  const QueueMetrics best =
      evaluate_queue(shape.service, shape.max_batch, shape.max_queue, range.low_per_ms);
  r.best_itl_ms = best.itl_ms;
  r.best_ttft_ms = best.ttft_ms;
  r.feasible = by_all.feasible;
  if (!r.feasible) return r;
  r.rate_per_ms = by_all.rate_per_ms;
  r.goodput_per_ms = by_all.throughput_per_ms;
  r.achieved = analyze_queue(shape, r.rate_per_ms);
  return r;
}

QueueOptimum optimize_concurrency(const QueueShape& shape, const QueueTargets& targets,
                                  const std::function<void()>& check) {
  require_valid(shape);
  require_valid(targets);
  std::vector<double> inv_mu(static_cast<std::size_t>(shape.max_batch) + 1);
  fill_inverse_mu(shape.service, shape.max_batch, inv_mu.data());
  const auto size = [&](std::int64_t batch) {
    QueueShape one = shape;
    one.max_batch = batch;
    return size_pair(one, targets.latency, targets.has_tps_target, inv_mu.data());
  };
  GoodputSearch search(shape, targets.latency, targets.has_tps_target, inv_mu.data(), size, check);
  const GoodputSearch::Found peak = search.best([](double goodput) { return goodput; });
  QueueOptimum r;
  const ServiceParams& p = shape.service;
  r.max_batch_for_itl = largest_batch_within([&](double b) { return state_itl_ms(p, b); },
                                             targets.latency.itl_ms, shape.max_batch);
  r.max_batch_for_ttft = largest_batch_within([&](double b) { return state_prefill_ms(p, b); },
                                              targets.latency.ttft_ms, shape.max_batch);
  r.feasible = peak.batch > 0;
  QueueShape chosen = shape;
  if (!r.feasible) {
    chosen.max_batch = 1;
    r.achieved = analyze_queue(chosen, rate_range(chosen, false).low_per_ms);
    return r;
  }
  r.peak_goodput_per_ms = peak.goodput_per_ms;
  r.peak_concurrency = peak.batch;
  const GoodputSearch::Found found = search.first(kNearPeak * peak.goodput_per_ms);
  r.concurrency = chosen.max_batch = found.batch;
  r.goodput_per_ms = found.goodput_per_ms;
  r.achieved = analyze_queue(chosen, found.rate_per_ms);
  return r;
}

}  // namespace tonnage
