// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The queue analyzer: metrics at a rate, sizing for targets, rate range, least concurrency.
#include "tonnage/core/queue_analyzer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "object_samples.hpp"
#include "queue_samples.hpp"

namespace tonnage {
namespace {

constexpr double kPerSecond = 1000;  // requests/ms -> requests/s

// The published check value: 128 + 512 tokens, batch 48, queue 128.
QueueShape check_shape() { return {{12, 0.05, 0.0005, 128, 512, 8192}, 48, 128}; }

TEST(ApiQueueAnalyzer, AnalyzesAtARate) {
  const QueueAnalysis a = analyze_queue(check_shape(), 3 / kPerSecond);
  EXPECT_EQ(a.offered_rate_per_ms, 3 / kPerSecond);
  EXPECT_NEAR(a.metrics.itl_ms, 20.1189, 5e-5);
  EXPECT_NEAR(a.metrics.ttft_ms, 67.615, 5e-4);
  EXPECT_NEAR(a.metrics.wait_ms, 21.405, 5e-4);
  EXPECT_NEAR(a.max_rate_per_ms * kPerSecond, 3.86093, 5e-6);
}

TEST(ApiQueueAnalyzer, PercentilesRiseAndStraddleTheMean) {
  const QueueAnalysis a = analyze_queue(check_shape(), 3.8 / kPerSecond);
  EXPECT_LT(a.ttft_p50_ms, a.ttft_p90_ms);
  EXPECT_LT(a.ttft_p90_ms, a.ttft_p95_ms);
  EXPECT_LT(a.ttft_p95_ms, a.ttft_p99_ms);
  EXPECT_LT(a.metrics.ttft_ms, a.ttft_p99_ms);
  EXPECT_GE(a.ttft_p50_ms, a.metrics.prefill_ms + a.metrics.itl_ms);
}

TEST(ApiQueueAnalyzer, SizesForTargets) {
  const QueueSizing s = size_queue(check_shape(), {{20, 60}, false});
  ASSERT_TRUE(s.feasible);
  EXPECT_NEAR(s.rate_per_ms * kPerSecond, 2.94946, 5e-6);
  EXPECT_NEAR(s.rate_per_ms, std::min(s.rate_for_itl_per_ms, s.rate_for_ttft_per_ms),
              1e-6 * s.rate_per_ms);
  EXPECT_NEAR(s.goodput_per_ms, s.achieved.metrics.throughput_per_ms, 1e-12);
  EXPECT_EQ(s.achieved.offered_rate_per_ms, s.rate_per_ms);
  EXPECT_LE(s.achieved.metrics.itl_ms, 20 * (1 + 1e-6));
  EXPECT_LE(s.achieved.metrics.ttft_ms, 60 * (1 + 1e-6));
}

TEST(ApiQueueAnalyzer, TheBindingTargetIsMetExactly) {
  const QueueSizing itl = size_queue(check_shape(), {{18, 0}, false});
  ASSERT_TRUE(itl.feasible);
  EXPECT_NEAR(itl.achieved.metrics.itl_ms, 18, 18e-6);
  EXPECT_EQ(itl.rate_per_ms, itl.rate_for_itl_per_ms);
  EXPECT_GT(itl.rate_for_ttft_per_ms, itl.rate_for_itl_per_ms) << "no target: the range's end";
  const QueueSizing ttft = size_queue(check_shape(), {{0, 50}, false});
  ASSERT_TRUE(ttft.feasible);
  EXPECT_NEAR(ttft.achieved.metrics.ttft_ms, 50, 50e-6);
  EXPECT_EQ(ttft.rate_per_ms, ttft.rate_for_ttft_per_ms);
}

TEST(ApiQueueAnalyzer, ATpsTargetLeavesATenthOfTheRange) {
  const QueueSizing s = size_queue(check_shape(), {{0, 0}, true});
  ASSERT_TRUE(s.feasible);
  EXPECT_NEAR(s.rate_for_tps_per_ms, 0.9 * s.achieved.max_rate_per_ms, 1e-15);
  EXPECT_NEAR(s.rate_per_ms, s.rate_for_tps_per_ms, 1e-9 * s.rate_per_ms);
  EXPECT_NEAR(s.rate_for_itl_per_ms, s.achieved.max_rate_per_ms, 1e-9 * s.rate_for_itl_per_ms);
}

TEST(ApiQueueAnalyzer, InfeasibleTargetsAreNamedWithTheBestValues) {
  const QueueSizing s = size_queue(check_shape(), {{5, 1000}, false});
  EXPECT_FALSE(s.feasible);
  EXPECT_FALSE(s.itl_feasible);
  EXPECT_TRUE(s.ttft_feasible);
  EXPECT_GT(s.best_itl_ms, 12);
  EXPECT_EQ(s.goodput_per_ms, 0);
  EXPECT_EQ(s.rate_for_itl_per_ms, 0);
}

TEST(ApiQueueAnalyzer, RateRangeSpansFromNearlyIdleToNearlyFull) {
  const QueueShape q = check_shape();
  const RateRange range = rate_range(q, false);
  EXPECT_DOUBLE_EQ(range.low_per_ms, 0.001 * departure_rate(q.service, 1));
  EXPECT_DOUBLE_EQ(range.high_per_ms, 0.999 * departure_rate(q.service, 48));
  EXPECT_DOUBLE_EQ(rate_range(q, true).high_per_ms, 0.9 * range.high_per_ms);
}

TEST(ApiQueueAnalyzer, FindsTheLeastConcurrencyNearThePeak) {
  QueueSampler sample;
  int feasible = 0;
  for (int i = 0; i < 20; ++i) {
    QueueShape q = sample.next(64, 100).shape;
    const QueueTargets targets{{sample.log_uniform(10, 1000), sample.log_uniform(100, 1e5)}, false};
    const QueueOptimum got = optimize_concurrency(q, targets);
    double peak = 0;
    std::vector<double> goodput{0};
    for (std::int64_t m = 1; m <= q.max_batch; ++m) {
      QueueShape at = q;
      at.max_batch = m;
      goodput.push_back(size_queue(at, targets).goodput_per_ms);
      peak = std::max(peak, goodput.back());
    }
    EXPECT_EQ(got.feasible, peak > 0) << i;
    if (peak == 0) {
      EXPECT_EQ(got.concurrency, 1);
      continue;
    }
    ++feasible;
    std::int64_t least = 1;
    while (goodput[least] < 0.98 * peak) ++least;
    EXPECT_EQ(got.concurrency, least) << i;
    EXPECT_NEAR(got.peak_goodput_per_ms, peak, 2e-8 * peak) << i;
    EXPECT_EQ(got.goodput_per_ms, goodput[least]) << i;
    EXPECT_NEAR(got.achieved.metrics.throughput_per_ms, goodput[least], 1e-9 * goodput[least]);
  }
  EXPECT_GT(feasible, 0);
}

TEST(ApiQueueAnalyzer, BatchBoundsAreTheLargestWithinEachTarget) {
  const QueueShape q = check_shape();
  const QueueTargets targets{{20, 60}, false};
  const QueueOptimum got = optimize_concurrency(q, targets);
  std::int64_t by_itl = 1, by_ttft = 1;
  for (std::int64_t b = 1; b <= q.max_batch; ++b) {
    const double batch = static_cast<double>(b);
    if (state_itl_ms(q.service, batch) <= 20) by_itl = b;
    if (state_prefill_ms(q.service, batch) <= 60) by_ttft = b;
  }
  ASSERT_LT(by_itl, q.max_batch) << "the target binds";
  EXPECT_EQ(got.max_batch_for_itl, by_itl);
  EXPECT_EQ(got.max_batch_for_ttft, by_ttft);
}

TEST(ApiQueueAnalyzer, RefusesInvalidQueues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](auto change) {
    QueueShape q = check_shape();
    change(q);
    return error_of([&] { (void)analyze_queue(q, 0.001); }) == ErrorCode::kInvalidInput &&
           error_of([&] { (void)size_queue(q, {}); }) == ErrorCode::kInvalidInput &&
           error_of([&] { (void)optimize_concurrency(q, {}); }) == ErrorCode::kInvalidInput;
  };
  EXPECT_FALSE(refused([](QueueShape&) {}));
  EXPECT_TRUE(refused([](QueueShape& q) { q.service.alpha_ms = -1; }));
  EXPECT_TRUE(refused([&](QueueShape& q) { q.service.beta_ms = nan; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.service.gamma_ms = INFINITY; }));
  EXPECT_TRUE(refused(
      [](QueueShape& q) { q.service.alpha_ms = q.service.beta_ms = q.service.gamma_ms = 0; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.service.in_tokens = -1; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.service.out_tokens = 0; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.service.token_budget = 0; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.max_batch = 0; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.max_batch = kMaxBatchSize + 1; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.max_queue = -1; }));
  EXPECT_TRUE(refused([](QueueShape& q) { q.max_queue = kMaxQueueSize + 1; }));
}

TEST(ApiQueueAnalyzer, RefusesInvalidRatesAndTargets) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double rate : {0.0, -1.0, nan, double{INFINITY}}) {
    EXPECT_EQ(error_of([&] { (void)analyze_queue(check_shape(), rate); }), ErrorCode::kInvalidInput)
        << rate;
  }
  for (const double target : {-1.0, nan}) {
    EXPECT_EQ(error_of([&] {
                (void)size_queue(check_shape(), {{target, 0}, false});
              }),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(error_of([&] {
                (void)optimize_concurrency(check_shape(), {{0, target}, false});
              }),
              ErrorCode::kInvalidInput);
  }
}

}  // namespace
}  // namespace tonnage
