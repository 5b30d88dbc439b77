// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The queue's numbers against direct summation in extended precision, on random inputs over the
// whole valid range: every rate from nearly idle to deep overload.
#include "tonnage/core/queueing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "oracle/oracle.hpp"
#include "queue_samples.hpp"

namespace tonnage {
namespace {

// Largest relative error seen of each metric.
class ErrorTable {
 public:
  void add(const std::string& metric, double got, long double want, long double scale) {
    ASSERT_TRUE(std::isfinite(got)) << metric;
    const auto error = static_cast<double>(std::fabs(got - want) / scale);
    double& worst = worst_[metric];
    worst = std::max(worst, error);
  }
  void expect_below(double bound) const {
    for (const auto& [metric, worst] : worst_) {
      std::printf("  largest relative error of %-12s %.2e\n", metric.c_str(), worst);
      EXPECT_LT(worst, bound) << metric;
    }
  }

 private:
  std::map<std::string, double> worst_;
};

void compare(const QueueSample& s, double rate, ErrorTable& errors) {
  const QueueMetrics got = evaluate_queue(s.shape.service, s.shape.max_batch, s.shape.max_queue,
                                          rate);
  const oracle::Chain chain(s.oracle);
  const oracle::Metrics want = chain.evaluate(rate);
  errors.add("throughput", got.throughput_per_ms, want.throughput, want.throughput);
  errors.add("in_service", got.in_service, want.in_service, want.in_service);
  errors.add("in_system", got.in_system, want.in_system, want.in_system);
  errors.add("service", got.service_ms, want.serv, want.serv);
  errors.add("rho", got.utilization, want.rho, want.rho);
  // Tiny probabilities carry the error of thousands of factors; what matters is absolute.
  errors.add("drop", got.drop_probability, want.drop_probability,
             std::max(want.drop_probability, 1e-100L));
  errors.add("wait", got.wait_ms, want.wait, std::max(want.wait, 1e-100L));
  // Prefill jumps where the mean batch rounds to another chunk count.
  const double to_half = std::fabs(got.in_service - std::floor(got.in_service) - 0.5);
  if (to_half < 1e-9 * got.in_service) return;
  // Parts of prefill may cancel when X < 1: its error is relative to the service it is part of.
  errors.add("prefill", got.prefill_ms, want.prefill, want.serv);
  // ITL is what service leaves after prefill: its error is relative to both over m.
  const long double m = s.shape.service.out_tokens;
  errors.add("itl", got.itl_ms, want.itl, want.serv / m);
  errors.add("ttft", got.ttft_ms, want.ttft, std::max(want.ttft, want.serv / m));
}

TEST(Queueing, CheckValueOfTheQueueService) {
  const ServiceParams p{12, 0.05, 0.0005, 128, 512, 8192};
  const QueueMetrics m = evaluate_queue(p, 48, 128, 3e-3);
  EXPECT_NEAR(m.itl_ms, 20.1189, 1e-4);
  EXPECT_NEAR(m.ttft_ms, 67.615, 1e-3);
  EXPECT_NEAR(m.wait_ms, 21.405, 1e-3);
  EXPECT_NEAR(0.999 * m.full_rate_per_ms * 1000, 3.86093, 1e-5);
}

// Long prompts and one output token: at 63 of 64 requests in service the chunks of the mean batch
// take longer than requests spend in service on average.
TEST(Queueing, PrefillNeverExceedsTheService) {
  const ServiceParams p{19.588, 0.0763, 0.000225, 65536, 1, 8192};
  const QueueMetrics m = evaluate_queue(p, 64, 0, 0.2e-3);
  EXPECT_NEAR(m.in_service, 62.7036, 1e-3);
  EXPECT_EQ(m.itl_ms, 0);
  EXPECT_EQ(m.prefill_ms, m.service_ms);
  EXPECT_EQ(m.ttft_ms, m.service_ms);
  EXPECT_NEAR(m.service_ms, 560461.5, 0.1);
}

TEST(Queueing, WaitPrefillAndDecodeMakeTheResponseTime) {
  QueueSampler sampler;
  int clamped = 0;
  for (int i = 0; i < 4000; ++i) {
    const QueueShape q = sampler.next(512, 200).shape;
    const double full = departure_rate(q.service, static_cast<double>(q.max_batch));
    const QueueMetrics m =
        evaluate_queue(q.service, q.max_batch, q.max_queue, full * sampler.log_uniform(1e-3, 1e3));
    EXPECT_GE(m.itl_ms, 0) << i;
    EXPECT_GE(m.prefill_ms, 0) << i;
    const double response = m.wait_ms + m.service_ms;
    EXPECT_NEAR(m.wait_ms + m.prefill_ms + q.service.out_tokens * m.itl_ms, response,
                1e-12 * response)
        << i;
    clamped += m.itl_ms == 0;
  }
  EXPECT_GT(clamped, 0) << "the sample should have queues where prefill would exceed the service";
}

TEST(Queueing, ChunkCountIsTheLeastThatReachesTheBatch) {
  QueueSampler sampler;
  for (int i = 0; i < 4000; ++i) {
    const QueueSample s = sampler.next();
    // Half of the batches lie where the count changes: bounds are often whole numbers there.
    const std::int64_t edge{oracle::chunk_bound(s.oracle, sampler.whole(1, 64))};
    const std::int64_t batch =
        i % 2 == 0 ? sampler.whole(1, 4096) : std::max<std::int64_t>(1, edge + sampler.whole(0, 1));
    EXPECT_EQ(chunk_count(s.shape.service, static_cast<double>(batch)),
              static_cast<double>(oracle::chunk_count(s.oracle, batch)))
        << s.describe() << " batch " << batch;
  }
}

TEST(Queueing, MetricsMatchDirectSummationAtAnyRate) {
  QueueSampler sampler;
  ErrorTable errors;
  for (int i = 0; i < 600; ++i) {
    const QueueSample s = sampler.next();
    SCOPED_TRACE(s.describe());
    const double full = departure_rate(s.shape.service, static_cast<double>(s.shape.max_batch));
    compare(s, full * sampler.log_uniform(1e-8, 1e6), errors);
    compare(s, full * sampler.uniform(0.3, 1.3), errors);
  }
  errors.expect_below(1e-11);
}

TEST(Queueing, MetricsStayAccurateAroundFullLoad) {
  QueueSampler sampler;
  ErrorTable errors;
  for (int i = 0; i < 300; ++i) {
    QueueSample s = sampler.next();
    SCOPED_TRACE(s.describe());
    const double full = departure_rate(s.shape.service, static_cast<double>(s.shape.max_batch));
    const double away = sampler.log_uniform(1e-16, 1e-2);
    compare(s, full, errors);
    compare(s, full * (1 - away), errors);
    compare(s, full * (1 + away), errors);
  }
  errors.expect_below(1e-11);
}

TEST(Queueing, LimitsOfTheValidRangeStayFinite) {
  for (const double rate : {1e-12, 1e-3, 1.0, 1e12 / 60000}) {
    for (const std::int64_t m : {1, 2, 1'048'576}) {
      for (const std::int64_t q : {0, 1, 1'000'000}) {
        for (const double tokens : {1.0, 1e9}) {
          for (const double alpha : {0.0, 1e-9, 1e9}) {
            const ServiceParams p{alpha, 1e-3, 1e-9, tokens, tokens, 8192};
            const QueueMetrics r = evaluate_queue(p, m, q, rate);
            for (const double x :
                 {r.throughput_per_ms, r.in_service, r.in_system, r.service_ms, r.wait_ms,
                  r.prefill_ms, r.itl_ms, r.ttft_ms, r.utilization, r.drop_probability}) {
              ASSERT_TRUE(std::isfinite(x)) << rate << ' ' << m << ' ' << q << ' ' << tokens;
            }
            EXPECT_GE(r.drop_probability, 0);
            EXPECT_LE(r.drop_probability, 1);
            EXPECT_LE(r.utilization, 1);
            EXPECT_GT(r.throughput_per_ms, 0);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tonnage
