// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Rate search and replicas against the slow reference: random pairs, with chunk counts that grow,
// latencies that turn down, and targets anywhere between impossible and loose.
#include "tonnage/core/sizing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "oracle/oracle.hpp"
#include "queue_samples.hpp"
#include "tonnage/core/line.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {
namespace {

oracle::Targets oracle_targets(const LatencyTargets& t) {
  oracle::Targets r;
  r.itl_ms = t.itl_ms;
  r.ttft_ms = t.ttft_ms;
  r.ttft_percentile = t.ttft_percentile / 100;
  r.e2e_ms = t.e2e_ms;
  r.drop = t.drop;
  return r;
}

// Targets near the metrics of the queue at some rate of its range.
LatencyTargets sample_targets(QueueSampler& sampler, const QueueSample& s) {
  const oracle::Chain chain(s.oracle);
  const double share = sampler.log_uniform(1e-3, 1.2);
  const oracle::Metrics m = chain.evaluate(chain.highest_rate() * share);
  const int kind = static_cast<int>(sampler.whole(0, 3));
  LatencyTargets t;
  const double itl = std::max(static_cast<double>(m.itl), 1e-6);
  if (kind != 1) t.itl_ms = itl * sampler.uniform(0.97, 1.2);
  if (kind != 2) t.ttft_ms = static_cast<double>(m.ttft) * sampler.uniform(0.97, 1.2);
  if (kind == 3 && sampler.chance(0.1)) t = {};
  return t;
}

// The rate must lie between those for slightly stricter and slightly looser targets. Rates
// themselves cannot be compared, since latencies may be flat in the rate.
void expect_rate(const QueueSample& s, const LatencyTargets& t, bool tps) {
  oracle::Targets targets = oracle_targets(t);
  targets.tps = tps ? 1 : 0;
  const oracle::Chain chain(s.oracle);
  oracle::SearchOptions strict, loose;
  strict.scan_points = loose.scan_points = 300;
  strict.tolerance = -1e-6L;
  loose.tolerance = 1e-6L;
  const oracle::RateResult low = oracle::largest_rate(chain, targets, strict);
  const oracle::RateResult high = oracle::largest_rate(chain, targets, loose);
  const RateSearch<double> got = size_pair(s.shape, t, tps);
  if (!high.feasible) {
    EXPECT_FALSE(got.feasible);
    return;
  }
  if (!low.feasible) return;  // within a part in a million of infeasible: either answer will do
  ASSERT_TRUE(got.feasible);
  EXPECT_GE(got.rate_per_ms, static_cast<double>(low.rate) * (1 - 1e-9));
  EXPECT_LE(got.rate_per_ms, static_cast<double>(high.rate) * (1 + 1e-9));
  const oracle::Metrics there = chain.evaluate(got.rate_per_ms);
  EXPECT_NEAR(got.throughput_per_ms / static_cast<double>(there.throughput), 1, 1e-11);
}

TEST(Sizing, LargestRateMatchesTheReference) {
  QueueSampler sampler;
  for (int i = 0; i < 250; ++i) {
    const QueueSample s = sampler.next(300, 300);
    const LatencyTargets t = sample_targets(sampler, s);
    SCOPED_TRACE(s.describe() + " itl " + std::to_string(t.itl_ms) + " ttft " +
                 std::to_string(t.ttft_ms));
    expect_rate(s, t, sampler.chance(0.2));
  }
}

// Targets on a percentile of TTFT, on response time and on drops, near the metrics of the queue.
LatencyTargets sample_extensions(QueueSampler& sampler, const QueueSample& s) {
  LatencyTargets t = sample_targets(sampler, s);
  const oracle::Chain chain(s.oracle);
  const double rate = static_cast<double>(chain.highest_rate()) * sampler.log_uniform(1e-2, 1.2);
  const oracle::Metrics m = chain.evaluate(rate);
  if (sampler.chance(0.6)) {
    t.ttft_percentile = sampler.uniform(50, 99.9);
    t.ttft_ms = static_cast<double>(m.prefill + m.itl +
                                    chain.wait_quantile(rate, t.ttft_percentile / 100)) *
                sampler.uniform(0.97, 1.2);
  }
  if (sampler.chance(0.5))
    t.e2e_ms = static_cast<double>(m.wait + m.serv) * sampler.uniform(0.97, 1.2);
  if (sampler.chance(0.5)) {
    t.drop = std::clamp(static_cast<double>(m.drop_probability) * sampler.uniform(0.5, 2),
                        kMinDropTarget, 0.999);
  }
  return t;
}

void expect_extended_rates(std::int64_t samples, std::int64_t max_batch, std::int64_t most_tokens) {
  QueueSampler sampler;
  int bound = 0;
  for (std::int64_t i = 0; i < samples; ++i) {
    QueueSample s = sampler.next(max_batch, 60);
    s.oracle.out_tokens = std::min(s.oracle.out_tokens, most_tokens);
    s.shape.service.out_tokens = static_cast<double>(s.oracle.out_tokens);
    const LatencyTargets t = sample_extensions(sampler, s);
    SCOPED_TRACE(s.describe() + " itl " + std::to_string(t.itl_ms) + " ttft " +
                 std::to_string(t.ttft_ms) + " p" + std::to_string(t.ttft_percentile) + " e2e " +
                 std::to_string(t.e2e_ms) + " drop " + std::to_string(std::log10(t.drop)));
    expect_rate(s, t, sampler.chance(0.1));
    const RateSearch<double> all = size_pair(s.shape, t, false);
    const RateSearch<double> plain = size_pair(s.shape, {t.itl_ms, 0}, false);
    bound += all.feasible && plain.feasible && all.rate_per_ms < plain.rate_per_ms * 0.999;
  }
  EXPECT_GT(bound, samples / 10) << "the extensions should bind often";
}

TEST(Sizing, ExtendedTargetsMatchTheReference) { expect_extended_rates(120, 120, 4096); }
TEST(Sizing, ExtendedTargetsOfSmallBatches) { expect_extended_rates(200, 5, 3); }

TEST(Sizing, SmallBatchesWhereItlTurnsDown) {
  QueueSampler sampler;
  for (int i = 0; i < 400; ++i) {
    QueueSample s = sampler.next(6, 8);
    s.oracle.out_tokens = sampler.whole(1, 3);
    s.shape.service.out_tokens = static_cast<double>(s.oracle.out_tokens);
    const LatencyTargets t = sample_targets(sampler, s);
    SCOPED_TRACE(s.describe() + " itl " + std::to_string(t.itl_ms) + " ttft " +
                 std::to_string(t.ttft_ms));
    expect_rate(s, t, false);
  }
}

TEST(Sizing, ChunkCountsThatGrowWithTheBatch) {
  QueueSampler sampler;
  int stepped = 0;
  for (int i = 0; i < 200; ++i) {
    QueueSample s = sampler.next(200, 100);
    s.oracle.in_tokens = sampler.log_whole(2000, 100'000);
    s.oracle.token_budget = sampler.log_whole(512, 8192);
    s.shape.service.in_tokens = static_cast<double>(s.oracle.in_tokens);
    s.shape.service.token_budget = static_cast<double>(s.oracle.token_budget);
    stepped += chunk_count(s.shape.service, 1.0) !=
               chunk_count(s.shape.service, static_cast<double>(s.shape.max_batch));
    const LatencyTargets t = sample_targets(sampler, s);
    SCOPED_TRACE(s.describe() + " itl " + std::to_string(t.itl_ms) + " ttft " +
                 std::to_string(t.ttft_ms));
    expect_rate(s, t, false);
  }
  EXPECT_GT(stepped, 50);
}

TEST(Sizing, SharpTargetsJustAboveAJumpOfPrefill) {
  // The target lies between the two sides of a jump: ITL just before it is above the target, just
  // after it below. The answer is before the jump.
  QueueSampler sampler;
  int tried = 0;
  for (int i = 0; i < 3000 && tried < 25; ++i) {
    QueueSample s = sampler.next(64, 0);
    s.oracle.in_tokens = sampler.log_whole(9000, 100'000);
    s.oracle.token_budget = 8192;
    s.oracle.out_tokens = sampler.whole(1, 20);
    s.shape.service.in_tokens = static_cast<double>(s.oracle.in_tokens);
    s.shape.service.token_budget = 8192;
    s.shape.service.out_tokens = static_cast<double>(s.oracle.out_tokens);
    const oracle::Chain chain(s.oracle);
    const std::int64_t c1 = oracle::chunk_count(s.oracle, 1);
    if (c1 == oracle::chunk_count(s.oracle, s.shape.max_batch)) continue;
    const long double level = static_cast<long double>(oracle::chunk_bound(s.oracle, c1)) + 0.5L;
    long double low = chain.lowest_rate(), high = chain.highest_rate();
    if (chain.evaluate(high).in_service <= level || chain.evaluate(low).in_service >= level) {
      continue;
    }
    for (int pass = 0; pass < 100; ++pass) {
      const long double middle = (low + high) / 2;
      (chain.evaluate(middle).in_service < level ? low : high) = middle;
    }
    const long double before = chain.evaluate(low, c1).itl;
    const long double after = chain.evaluate(high, c1 + 1).itl;
    if (!(after > 0 && before > after * 1.001L)) continue;
    ++tried;
    const LatencyTargets t{static_cast<double>((before + after) / 2), 0};
    SCOPED_TRACE(s.describe() + " itl " + std::to_string(t.itl_ms));
    expect_rate(s, t, false);
  }
  EXPECT_GT(tried, 5);
}

TEST(Sizing, ReplicasNeeded) {
  EXPECT_EQ(replicas_needed(10, 3, 0), 4);
  EXPECT_EQ(replicas_needed(9, 3, 0), 3);
  EXPECT_EQ(replicas_needed(1, 3, 5), 5);
  EXPECT_EQ(replicas_needed(1e9, 1, 0), 1'000'000'000);
  EXPECT_EQ(replicas_needed(2e9, 1, 0), 0) << "more than a plan may hold";
  EXPECT_EQ(replicas_needed(1, 0, 0), 0) << "no goodput";
}

}  // namespace
}  // namespace tonnage
