// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Waiting-time tails and percentiles against plain sums in extended precision.
#include "tonnage/core/wait_distribution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "oracle/oracle.hpp"
#include "queue_samples.hpp"

namespace tonnage {
namespace {

TEST(WaitDistribution, TailMatchesPlainSums) {
  QueueSampler sampler;
  double worst = 0;
  for (int i = 0; i < 300; ++i) {
    QueueSample s = sampler.next(512, 3000);
    SCOPED_TRACE(s.describe());
    const oracle::Chain chain(s.oracle);
    const double full = departure_rate(s.shape.service, static_cast<double>(s.shape.max_batch));
    const double rate = full * (sampler.chance(0.5) ? sampler.uniform(0.7, 1.3)
                                                    : sampler.log_uniform(1e-3, 1e4));
    const QueueMetrics m =
        evaluate_queue(s.shape.service, s.shape.max_batch, s.shape.max_queue, rate);
    const double longest = static_cast<double>(s.shape.max_queue + 1) / full;
    for (const double t : {0.0, longest * sampler.log_uniform(1e-6, 1), longest, 2 * longest}) {
      const auto want = static_cast<double>(chain.wait_survival(rate, t));
      const WaitTail got = wait_tail(m, s.shape.max_queue, t);
      ASSERT_TRUE(std::isfinite(got.survival) && std::isfinite(got.density)) << "t " << t;
      worst = std::max(worst, std::fabs(got.survival - want));
      EXPECT_NEAR(got.survival, want, 1e-11) << "rate " << rate << " t " << t;
      // Relative accuracy far into the tail, up to the highest percentile that targets use.
      if (want > 1e-6) {
        EXPECT_NEAR(got.survival / want, 1, 1e-9) << "rate " << rate << " t " << t;
      }
    }
  }
  std::printf("  largest absolute error of P(wait > t) %.2e\n", worst);
}

TEST(WaitDistribution, QuantilesMatchBisectionOverPlainSums) {
  QueueSampler sampler;
  double worst = 0;
  for (int i = 0; i < 60; ++i) {
    QueueSample s = sampler.next(256, 500);
    SCOPED_TRACE(s.describe());
    const oracle::Chain chain(s.oracle);
    const double full = departure_rate(s.shape.service, static_cast<double>(s.shape.max_batch));
    const double rate = full * sampler.uniform(0.5, 1.5);
    const QueueMetrics m =
        evaluate_queue(s.shape.service, s.shape.max_batch, s.shape.max_queue, rate);
    for (const double p : {0.5, 0.9, 0.95, 0.99, 0.999}) {
      const auto want = static_cast<double>(chain.wait_quantile(rate, p));
      const double got = wait_quantile(m, s.shape.max_queue, p);
      // A quantile at the very edge of "nobody waits" is 0 or tiny.
      const double scale = std::max(want, 1e-6 / full);
      worst = std::max(worst, std::fabs(got - want) / scale);
      EXPECT_NEAR(got, want, 1e-8 * scale) << "rate " << rate << " p " << p;
    }
  }
  std::printf("  largest relative error of quantiles %.2e\n", worst);
}

TEST(WaitDistribution, LargestWaitingRoomStaysFast) {
  const ServiceParams p{12, 0.05, 0.0005, 128, 512, 8192};
  const double full = departure_rate(p, 48);
  for (const double load : {0.5, 0.999999, 1.0, 1.000001, 3.0, 1e6}) {
    const QueueMetrics m = evaluate_queue(p, 48, 1'000'000, full * load);
    const double median = wait_quantile(m, 1'000'000, 0.5);
    const double p99 = wait_quantile(m, 1'000'000, 0.99);
    ASSERT_TRUE(std::isfinite(median) && std::isfinite(p99)) << load;
    EXPECT_LE(median, p99);
    // Deep overload: an accepted request finds the room full but for itself.
    if (load >= 3) {
      EXPECT_NEAR(median * full, 1e6, 2e3);
    }
  }
}

TEST(WaitDistribution, NoWaitWithoutAWaitingRoom) {
  const ServiceParams p{12, 0.05, 0.0005, 128, 512, 8192};
  const QueueMetrics m = evaluate_queue(p, 48, 0, 10.0);
  EXPECT_EQ(wait_quantile(m, 0, 0.99), 0);
  EXPECT_EQ(wait_tail(m, 0, 1).survival, 0);
}

}  // namespace
}  // namespace tonnage
