// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the slow rate search and of pair sizing.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "oracle/sizing.hpp"
#include "support/seed.hpp"

namespace tonnage::oracle {
namespace {

// The published check value: rates per second.
TEST(OracleRates, CheckValue) {
  const QueueParams params{12, 0.05, 0.0005, 128, 512, 8192, 48, 128};
  const Chain chain(params);
  const Metrics at = chain.evaluate(0.003L);
  EXPECT_NEAR(static_cast<double>(at.itl), 20.1189, 1e-4);
  EXPECT_NEAR(static_cast<double>(at.ttft), 67.615, 1e-3);
  EXPECT_NEAR(static_cast<double>(at.wait), 21.405, 1e-3);
  EXPECT_NEAR(static_cast<double>(chain.highest_rate()) * 1000, 3.86093, 1e-5);
  const RateResult found = largest_rate(chain, {20, 60, 0, 0});
  ASSERT_TRUE(found.feasible);
  EXPECT_NEAR(static_cast<double>(found.goodput) * 1000, 2.94946, 1e-5);
}

QueueParams random_queue(std::mt19937_64& random) {
  const auto log_uniform = [&](double low, double high) {
    return std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(random));
  };
  QueueParams params;
  params.alpha = log_uniform(1, 50);
  params.beta = log_uniform(0.001, 0.2);
  params.gamma = log_uniform(1e-6, 2e-3);
  params.in_tokens = std::llround(log_uniform(1, 8000));
  params.out_tokens = std::llround(log_uniform(1, 2000));
  params.max_batch = std::llround(log_uniform(1, 60));
  params.max_queue = std::llround(log_uniform(1, 60)) - 1;
  return params;
}

bool holds(const Metrics& at, const Targets& targets, long double slack) {
  return (targets.itl_ms <= 0 || at.itl <= targets.itl_ms * slack) &&
         (targets.ttft_ms <= 0 || at.ttft <= targets.ttft_ms * slack);
}

// Targets drawn from a rate inside the range hold everywhere below the answer, and fail just above
// it unless the answer is the end of the range.
TEST(OracleRates, LargestThatHolds) {
  std::mt19937_64 random(testing::test_seed());
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  int binding = 0;
  for (int round = 0; round < 60; ++round) {
    const Chain chain(random_queue(random));
    const long double drawn = chain.highest_rate() * (0.05 + 0.9 * uniform(random));
    const Metrics reached = chain.evaluate(drawn);
    const Targets targets{static_cast<double>(reached.itl) * (1 + 0.1 * uniform(random)),
                          static_cast<double>(reached.ttft) * (1 + 0.1 * uniform(random)), 0, 0};
    SearchOptions options;
    options.scan_points = 300;
    const RateResult found = largest_rate(chain, targets, options);
    const long double slack = 1 + options.tolerance;
    EXPECT_EQ(found.feasible, holds(chain.evaluate(found.low), targets, slack));
    if (!found.feasible) continue;
    EXPECT_TRUE(holds(found.metrics, targets, slack));
    for (int probe = 0; probe < 200; ++probe) {
      const long double rate = found.low + uniform(random) * (found.rate - found.low);
      EXPECT_TRUE(holds(chain.evaluate(rate), targets, slack)) << static_cast<double>(rate);
    }
    if (found.rate < found.high) {
      ++binding;
      bool held = true;
      for (long double step = 1e-15L; step < 1e-5L; step *= 10) {
        held = held && holds(chain.evaluate(found.rate * (1 + step)), targets, slack);
      }
      EXPECT_FALSE(held) << static_cast<double>(found.rate);
    }
  }
  EXPECT_GT(binding, 10);
}

// Prefill jumps where the mean batch asks for another chunk: the target lies between both sides.
TEST(OracleRates, StopsAtAJump) {
  const QueueParams params{18, 0.08, 0.0005, 6000, 8, 8192, 12, 20};
  const Chain chain(params);
  long double before = chain.lowest_rate();
  long double after = chain.highest_rate();
  while (after - before > 1e-18L * after) {
    const long double middle = before + (after - before) / 2;
    if (middle <= before || middle >= after) break;
    (chain.evaluate(middle).chunks == 1 ? before : after) = middle;
  }
  const long double left = chain.evaluate(before).ttft;
  const long double right = chain.evaluate(after).ttft;
  ASSERT_GT(right, left * 1.001L);
  const RateResult found =
      largest_rate(chain, {0, static_cast<double>(left + (right - left) / 2), 0, 0});
  ASSERT_TRUE(found.feasible);
  EXPECT_NEAR(static_cast<double>(found.rate / before), 1.0, 1e-15);
  EXPECT_EQ(found.metrics.chunks, 1);
}

TEST(OracleRates, NoTargetTpsAndInfeasible) {
  const QueueParams params{12, 0.05, 0.0005, 128, 512, 8192, 48, 128};
  const Chain chain(params);
  EXPECT_EQ(largest_rate(chain, {}).rate, chain.highest_rate());
  EXPECT_EQ(largest_rate(chain, {0, 0, 500, 0}).rate, 0.9L * chain.highest_rate());
  const RateResult low = largest_rate(chain, {20, 60, 500, 0});
  EXPECT_LT(low.rate, 0.9L * chain.highest_rate());
  const RateResult none = largest_rate(chain, {5, 60, 0, 0});
  EXPECT_FALSE(none.feasible);
  EXPECT_EQ(none.rate_itl, 0.0L);
  EXPECT_GT(none.rate_ttft, 0.0L);
}

TEST(OracleRates, PercentileTarget) {
  const QueueParams params{12, 0.05, 0.0005, 128, 512, 8192, 48, 128};
  const Chain chain(params);
  const RateResult mean = largest_rate(chain, {0, 200, 0, 0});
  const RateResult tail = largest_rate(chain, {0, 200, 0, 0.99});
  ASSERT_TRUE(tail.feasible);
  EXPECT_LT(tail.rate, mean.rate);
  const Metrics at = tail.metrics;
  const long double reached = chain.wait_quantile(tail.rate, 0.99L) + at.prefill + at.itl;
  EXPECT_NEAR(static_cast<double>(reached), 200, 1e-5);
}

TEST(OracleRates, LeastConcurrency) {
  // Latency does not depend on the batch and nothing waits: goodput rises with every place.
  const QueueParams params{12, 0, 0, 100, 50, 1 << 24, 200, 0};
  SearchOptions options;
  options.scan_points = 10;
  const std::int64_t least = least_concurrency(params, {}, options);
  const auto goodput = [&](std::int64_t batch) {
    QueueParams limited = params;
    limited.max_batch = batch;
    return largest_rate(limited, {}, options).goodput;
  };
  EXPECT_GE(goodput(least), 0.98L * goodput(200));
  EXPECT_LT(goodput(least - 1), 0.98L * goodput(200));
  EXPECT_EQ(least_concurrency(params, {1, 0, 0, 0}, options), 0);
}

PairInput loss_pair() {
  // Every request takes 51 iterations of 12 ms; 4 places, nobody waits.
  PairInput input;
  input.alpha = 12;
  input.accelerator = "G";
  input.accelerator_cost = 150;
  input.acc_count = 2;
  input.multiplicity = 4;
  input.data_max_batch = 2;
  input.at_tokens = 100;
  input.in_tokens = 100;
  input.out_tokens = 50;
  input.token_budget = 1 << 24;
  input.arrival_rate_per_min = 1000;
  return input;
}

TEST(OracleSizing, LossSystemByHand) {
  PairInput input = loss_pair();
  const PairResult sized = size_pair(input);
  ASSERT_TRUE(sized.feasible);
  EXPECT_EQ(sized.max_batch, 4);
  // Offered 0.999 * 4 Erlang to 4 places.
  const double a = 0.999 * 4;
  const double terms[] = {1, a, a * a / 2, a * a * a / 6, a * a * a * a / 24};
  const double blocked = terms[4] / (terms[0] + terms[1] + terms[2] + terms[3] + terms[4]);
  const double goodput = a / (51 * 12) * (1 - blocked);
  EXPECT_NEAR(static_cast<double>(sized.max_rate), goodput, 1e-15);
  const auto replicas = static_cast<std::int64_t>(std::ceil(1000.0 / 60000 / goodput));
  EXPECT_EQ(sized.replicas, replicas);
  EXPECT_EQ(static_cast<double>(sized.cost), 300.0 * static_cast<double>(replicas));
  EXPECT_EQ(sized.cards, 8 * replicas);
  // From nothing: another name, cost 0.
  EXPECT_NEAR(static_cast<double>(sized.value), 1.1 * static_cast<double>(sized.cost), 1e-9);
  input.min_replicas = replicas + 3;
  EXPECT_EQ(size_pair(input).replicas, replicas + 3);
  input.alpha = 0;
  EXPECT_FALSE(size_pair(input).feasible);
}

TEST(OracleSizing, TpsReplacesTheLoad) {
  PairInput input = loss_pair();
  input.targets.tps = 2000;
  EXPECT_EQ(total_rate(input), 2000.0L / 50 / 1000);
  const PairResult sized = size_pair(input);
  EXPECT_EQ(sized.rates.rate, 0.9L * sized.rates.high);
  EXPECT_EQ(sized.replicas, static_cast<std::int64_t>(std::ceil(0.04L / sized.max_rate)));
}

TEST(OracleSizing, SearchTakesLeastReplicasThenLeastBatch) {
  PairInput input = loss_pair();
  input.max_batch_override = 40;
  input.max_queue = 10;
  input.beta = 0.5;
  input.targets.itl_ms = 600;
  SearchOptions options;
  options.scan_points = 50;
  const PairResult found = size_pair_over_batches(input, options);
  ASSERT_TRUE(found.feasible);
  for (std::int64_t batch = 1; batch <= 40; ++batch) {
    const PairResult other = size_at_batch(input, batch, options);
    if (!other.feasible) continue;
    EXPECT_GE(other.replicas, found.replicas);
    if (batch < found.max_batch) {
      EXPECT_GT(other.replicas, found.replicas);
    }
  }
}

TEST(OracleSizing, ZeroLoad) {
  PairInput input = loss_pair();
  input.arrival_rate_per_min = 0;
  input.targets.tps = 1000;
  input.beta = 2;
  input.gamma = 0.5;
  PairResult sized = size_pair(input);
  EXPECT_TRUE(sized.feasible);
  EXPECT_EQ(sized.accelerator, "");
  EXPECT_EQ(sized.replicas, 0);
  EXPECT_EQ(sized.value, 0.0L);
  input.min_replicas = 3;
  sized = size_pair(input);
  EXPECT_EQ(sized.max_batch, 2);
  EXPECT_EQ(sized.replicas, 3);
  EXPECT_EQ(sized.itl, 14.0L);
  EXPECT_EQ(sized.ttft, 15.0L);
  EXPECT_EQ(sized.max_rate, 2.0L / (15 + 12 + 4));
  EXPECT_EQ(sized.cost, 900.0L);
  input.arrival_rate_per_min = 5;
  input.out_tokens = 0;
  EXPECT_EQ(size_pair(input).replicas, 3);
}

TEST(OracleSizing, PenaltyAndPower) {
  const auto penalty = [](const Holding& from, const Holding& to) {
    return static_cast<double>(transition_penalty(from, to));
  };
  EXPECT_EQ(penalty({"A", 2, 10}, {"A", 2, 12}), 0);
  EXPECT_EQ(penalty({"A", 2, 10}, {"A", 3, 15}), 5);
  EXPECT_NEAR(penalty({"A", 2, 10}, {"B", 2, 20}), 13, 1e-12);
  EXPECT_EQ(penalty({"", 0, 0}, {"", 0, 0}), 0);
  EXPECT_NEAR(penalty({"A", 2, 10}, {"", 0, 0}), -9, 1e-12);
  EXPECT_NEAR(static_cast<double>(power(100, 0.6, 590, 700, 0.3L, 2, 3)), 6 * 345, 1e-9);
  EXPECT_NEAR(static_cast<double>(power(100, 0.6, 590, 700, 0.8L, 2, 0)), 2 * 645, 1e-9);
}

TEST(OracleSizing, ReplicaLimits) {
  EXPECT_EQ(replicas_needed(1, 0.3L, 0), 4);
  EXPECT_EQ(replicas_needed(1, 0.3L, 9), 9);
  EXPECT_EQ(replicas_needed(1, 1e-9L, 0), 1000000000);
  EXPECT_EQ(replicas_needed(1.1L, 1e-9L, 0), 0);
  EXPECT_EQ(replicas_needed(1, 0, 5), 0);
}

}  // namespace
}  // namespace tonnage::oracle
