// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// TTFT percentiles against a discrete-event simulation of the same replica, within one percent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "oracle/simulation.hpp"
#include "support/seed.hpp"
#include "tonnage/core/sizing.hpp"
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {
namespace {

struct Estimate {
  double mean = 0;
  double error = 0;  // one standard error
};

Estimate estimate(const std::vector<double>& runs) {
  Estimate e;
  const double count = static_cast<double>(runs.size());
  for (const double x : runs) e.mean += x / count;
  double squares = 0;
  for (const double x : runs) squares += (x - e.mean) * (x - e.mean);
  e.error = std::sqrt(squares / (count - 1) / count);
  return e;
}

TEST(Percentiles, WithinOnePercentOfASimulation) {
  constexpr int kRuns = 40;
  constexpr std::int64_t kArrivals = 500'000;
  const double levels[] = {0.5, 0.9, 0.95, 0.99};
  std::mt19937_64 random(testing::test_seed());
  double worst = 0, worst_error = 0;
  for (const double load : {1.05, 1.3}) {
    const oracle::QueueParams params{12, 0.05, 0.0005, 128, 64, 8192, 6, 16};
    const oracle::Chain chain(params);
    const ServiceParams service{params.alpha, params.beta, params.gamma, 128, 64, 8192};
    const double rate = load * departure_rate(service, static_cast<double>(params.max_batch));
    const QueueMetrics m = evaluate_queue(service, params.max_batch, params.max_queue, rate);
    std::vector<std::vector<double>> seen(std::size(levels));
    for (int run = 0; run < kRuns; ++run) {
      std::vector<double> waits = oracle::simulate(chain, rate, 5000, kArrivals, random()).waits;
      std::sort(waits.begin(), waits.end());
      for (std::size_t i = 0; i < std::size(levels); ++i) {
        const auto rank =
            static_cast<std::size_t>(levels[i] * static_cast<double>(waits.size() - 1));
        seen[i].push_back(waits[rank] + m.prefill_ms + m.itl_ms);
      }
    }
    for (std::size_t i = 0; i < std::size(levels); ++i) {
      const double got = ttft_quantile(m, params.max_queue, levels[i]);
      const Estimate e = estimate(seen[i]);
      worst = std::max(worst, std::fabs(got / e.mean - 1));
      worst_error = std::max(worst_error, e.error / e.mean);
      // The bound means something only where the simulation knows its own figure far better.
      EXPECT_LT(e.error, 0.0025 * e.mean) << "load " << load << " level " << levels[i];
      EXPECT_NEAR(got, e.mean, 0.01 * e.mean) << "load " << load << " level " << levels[i];
    }
  }
  std::printf("  largest difference %.2f %%, standard error of the simulation %.2f %%\n",
              100 * worst, 100 * worst_error);
}

}  // namespace
}  // namespace tonnage
