// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The search for goodput over all batch sizes of a line, compared with sizing each of them, and its
// cost on a million batch sizes.
#include "tonnage/core/goodput_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "queue_samples.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {
namespace {

// A line, with its table.
struct Line {
  QueueShape shape;
  LatencyTargets targets;
  bool has_tps_target;
  std::vector<double> inv_mu;

  Line(const QueueShape& s, const LatencyTargets& t, bool tps)
      : shape(s),
        targets(t),
        has_tps_target(tps),
        inv_mu(static_cast<std::size_t>(s.max_batch) + 1) {
    fill_inverse_mu(shape.service, shape.max_batch, inv_mu.data());
  }
  [[nodiscard]] RateSearch<double> size(std::int64_t batch) const {
    QueueShape one = shape;
    one.max_batch = batch;
    return size_pair(one, targets, has_tps_target, inv_mu.data());
  }
  [[nodiscard]] double goodput(std::int64_t batch) const {
    const RateSearch<double> found = size(batch);
    return found.feasible ? found.throughput_per_ms : 0;
  }
  [[nodiscard]] GoodputSearch search() const {
    return {shape, targets, has_tps_target, inv_mu.data(),
            [this](std::int64_t batch) { return size(batch); }};
  }
};

double same(double goodput) { return goodput; }

// Targets near what the line does at some rate, so that they bind.
LatencyTargets binding_targets(QueueSampler& sample, const QueueShape& shape, bool percentiles) {
  const double rate = 0.999 * departure_rate(shape.service, static_cast<double>(shape.max_batch)) *
                      sample.log_uniform(0.05, 1);
  const QueueMetrics m = evaluate_queue(shape.service, shape.max_batch, shape.max_queue, rate);
  LatencyTargets t;
  if (sample.chance(0.6)) t.itl_ms = m.itl_ms * sample.log_uniform(0.8, 2);
  if (sample.chance(0.6)) t.ttft_ms = m.ttft_ms * sample.log_uniform(0.8, 3);
  if (percentiles && t.ttft_ms > 0) t.ttft_percentile = sample.uniform(50, 99.9);
  if (sample.chance(0.2)) t.e2e_ms = (m.wait_ms + m.service_ms) * sample.log_uniform(0.8, 2);
  if (sample.chance(0.2)) t.drop = sample.log_uniform(1e-6, 0.5);
  return t;
}

TEST(GoodputSearch, FindsWhatSizingEveryBatchFinds) {
  QueueSampler sample;
  int feasible = 0, smaller = 0;
  for (int i = 0; i < 60; ++i) {
    const QueueShape shape = sample.next(300, 1000).shape;
    const Line line(shape, binding_targets(sample, shape, sample.chance(0.3)), sample.chance(0.2));
    std::vector<double> goodput{0};
    for (std::int64_t m = 1; m <= shape.max_batch; ++m) goodput.push_back(line.goodput(m));
    const double peak = *std::max_element(goodput.begin(), goodput.end());
    GoodputSearch search = line.search();
    const GoodputSearch::Found best = search.best(same);
    EXPECT_NEAR(best.goodput_per_ms, peak, 2 * GoodputSearch::kTie * peak) << i;
    if (peak == 0) continue;
    ++feasible;
    EXPECT_EQ(best.goodput_per_ms, goodput[best.batch]);
    for (const double share : {0.3, 0.9, 0.98}) {
      const double enough = share * best.goodput_per_ms;
      std::int64_t want = 1;
      while (goodput[want] < enough) ++want;
      // A fresh search as well: results of the first one must not be needed.
      for (const GoodputSearch::Found& got :
           {search.first(enough), line.search().first(enough)}) {
        EXPECT_EQ(got.batch, want) << i << " share " << share;
        EXPECT_EQ(got.goodput_per_ms, goodput[want]);
      }
      smaller += want < shape.max_batch;
    }
  }
  EXPECT_GT(feasible, 20);
  EXPECT_GT(smaller, 20);
}

TEST(GoodputSearch, NothingIsFoundWhereNothingIsFeasible) {
  const Line line({{12, 0.05, 0.0005, 128, 512, 8192}, 1000, 10}, {5, 0}, false);
  GoodputSearch search = line.search();
  EXPECT_EQ(search.best(same).batch, 0);
  EXPECT_EQ(search.first(1e-6).batch, 0);
  EXPECT_EQ(search.num_sized(), 10) << "halves of the ceiling, all known to be infeasible";
}

// Costs of passes and sizings are proportional to the batch size.
TEST(GoodputSearch, AMillionBatchSizesAreSettledByFewPasses) {
  const double n = kMaxBatchSize;
  struct Case {
    const char* name;
    QueueShape shape;
    LatencyTargets targets;
  };
  const auto most = static_cast<std::int64_t>(n);
  for (const Case& c : {
           Case{"range", {{12, 0.05, 0.0005, 128, 512, 8192}, most, 0}, {}},
           Case{"ITL", {{12, 0.05, 0.0005, 128, 512, 1e9}, most, 1000}, {40, 0}},
           Case{"TTFT", {{12, 0.05, 0.0005, 128, 512, 1e9}, most, 1000}, {0, 90}},
           Case{"drops", {{12, 0, 0, 128, 512, 8192}, most, 0}, {}},
           Case{"drops at a target", {{12, 0, 0, 128, 512, 1e9}, most, 0}, {0, 0, 0, 0, 0.01}},
           Case{"percentile", {{12, 0.05, 0.0005, 128, 512, 1e9}, most, 1000000}, {0, 90, 99}},
           Case{"servers alone", {{12, 0, 0, 128, 512, 1e9}, most, 1000000}, {0, 30, 99}},
           Case{"chunks", {{12, 0.05, 0.0005, 1280, 512, 8192}, most, 1000}, {200, 0}},
           Case{"out of reach", {{12, 0.05, 0.0005, 1280, 512, 8192}, most, 1000}, {1, 0}},
       }) {
    SCOPED_TRACE(c.name);
    const Line line(c.shape, c.targets, false);
    GoodputSearch search = line.search();
    const GoodputSearch::Found best = search.best(same);
    if (best.batch > 0) {
      const GoodputSearch::Found near = search.first(0.98 * best.goodput_per_ms);
      ASSERT_GT(near.batch, 0);
      EXPECT_GE(near.goodput_per_ms, 0.98 * best.goodput_per_ms);
      if (near.batch > 1) {
        EXPECT_LT(line.goodput(near.batch - 1), 0.98 * best.goodput_per_ms);
      }
    }
    std::printf("  %-18s sized %lld, passes %lld, batch %lld\n", c.name,
                static_cast<long long>(search.num_sized()),
                static_cast<long long>(search.num_passes()), static_cast<long long>(best.batch));
    EXPECT_LT(search.num_sized(), 100);
    EXPECT_LT(search.num_passes(), 150);
  }
}

}  // namespace
}  // namespace tonnage
