// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the slow queue: closed forms of the textbook queues, laws that hold for every
// chain, and a simulation that shares none of its formulas.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "oracle/oracle.hpp"
#include "oracle/simulation.hpp"
#include "support/seed.hpp"

namespace tonnage::oracle {
namespace {

using Random = std::mt19937_64;

double log_uniform(Random& random, double low, double high) {
  return std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(random));
}

std::int64_t integer(Random& random, double low, double high) {
  return static_cast<std::int64_t>(std::llround(log_uniform(random, low, high)));
}

QueueParams random_params(Random& random) {
  QueueParams params;
  params.alpha = log_uniform(random, 1, 50);
  params.beta = log_uniform(random, 0.001, 0.2);
  params.gamma = log_uniform(random, 1e-6, 2e-3);
  params.in_tokens = integer(random, 1, 8000);
  params.out_tokens = integer(random, 1, 2000);
  params.token_budget = random() % 4 == 0 ? integer(random, 64, 8192) : 8192;
  params.max_batch = integer(random, 1, 200);
  params.max_queue = integer(random, 1, 200) - 1;
  return params;
}

void expect_close(long double actual, long double expected, long double relative,
                  const char* what) {
  EXPECT_LE(std::fabs(actual - expected), relative * std::fabs(expected))
      << what << ": " << static_cast<double>(actual) << ", expected "
      << static_cast<double>(expected);
}

TEST(OracleChunks, FirstThatIsEnough) {
  Random random(testing::test_seed());
  for (int round = 0; round < 300; ++round) {
    QueueParams params = random_params(random);
    params.token_budget = integer(random, 8, 8192);
    const std::int64_t batch = integer(random, 1, 300);
    const std::int64_t k = params.in_tokens;
    const std::int64_t m = params.out_tokens;
    std::int64_t expected = 0;
    for (std::int64_t i = 1; expected == 0; ++i) {
      // (i + m) * (T - k/i) / (k + m) >= batch, cleared of its divisors.
      const std::int64_t left = (i + m) * (params.token_budget * i - k);
      if (left >= batch * i * (k + m)) expected = i;
    }
    EXPECT_EQ(chunk_count(params, batch), expected)
        << "k " << k << " m " << m << " T " << params.token_budget << " B " << batch;
  }
}

TEST(OracleChunks, WorkedByHand) {
  // k 6000, m 8, T 8192: (1+8)*2192/6008 = 3.28, (2+8)*5192/6008 = 8.64, (3+8)*6192/6008 = 11.3.
  const QueueParams params{1, 1, 1, 6000, 8, 8192, 1, 0};
  EXPECT_EQ(chunk_bound(params, 1), 3);
  EXPECT_EQ(chunk_bound(params, 2), 8);
  EXPECT_EQ(chunk_bound(params, 3), 11);
  EXPECT_EQ(chunk_count(params, 3), 1);
  EXPECT_EQ(chunk_count(params, 4), 2);
  EXPECT_EQ(chunk_count(params, 9), 3);
}

// max_batch 1: one server at a constant rate, K places.
TEST(OracleClosedForm, OneServer) {
  QueueParams params{10, 0.05, 0.001, 100, 50, 8192, 1, 30};
  const Chain chain(params);
  for (const long double load : {1e-9L, 0.3L, 0.999L, 1.0L, 1.001L, 4.0L, 1e12L}) {
    const std::vector<long double> p = chain.probabilities(load * chain.departure_rate(1));
    long double total = 0;
    for (int n = 0; n <= 31; ++n) total += std::pow(load, n - 31.0L);
    for (int n = 0; n <= 31; ++n) {
      const long double expected = std::pow(load, n - 31.0L) / total;
      expect_close(p[static_cast<std::size_t>(n)], expected, 1e-15L, "P(n)");
    }
  }
}

// beta = gamma = 0: service takes the same time in any batch, so this is M/M/c.
TEST(OracleClosedForm, ErlangLoss) {
  for (const std::int64_t servers : {1, 7, 100, 4096}) {
    const QueueParams params{12, 0, 0, 100, 50, 1 << 24, servers, 0};
    const long double service = 51 * 12;
    for (const long double per_server : {1e-6L, 0.5L, 1.0L, 3.0L, 1e9L}) {
      const long double offered = per_server * static_cast<long double>(servers);
      long double inverse = 1;
      for (std::int64_t n = 1; n <= servers; ++n) {
        inverse = 1 + static_cast<long double>(n) / offered * inverse;
      }
      const Metrics at = evaluate(params, offered / service);
      // Underflow of the inverse is to infinity: a drop probability of 0.
      expect_close(at.drop_probability, 1 / inverse, 1e-13L, "Erlang B");
      expect_close(at.in_service, offered * at.accepted, 1e-13L, "carried load");
      expect_close(at.serv, service, 1e-13L, "service time");
      expect_close(at.itl, 12, 1e-12L, "ITL");
      expect_close(at.prefill, 12, 1e-13L, "prefill");
      EXPECT_EQ(at.wait, 0.0L);
    }
  }
}

TEST(OracleClosedForm, ErlangDelay) {
  const std::int64_t servers = 20;
  const QueueParams params{12, 0, 0, 100, 50, 1 << 24, servers, 20000};
  const long double service = 51 * 12;
  const long double offered = 18.0L;
  const long double lambda = offered / service;
  long double inverse = 1;
  for (std::int64_t n = 1; n <= servers; ++n) {
    inverse = 1 + static_cast<long double>(n) / offered * inverse;
  }
  const long double utilisation = offered / servers;
  const long double delayed = 1 / inverse / (1 - utilisation + utilisation / inverse);
  const long double drain = (servers - offered) / service;
  const Chain chain(params);
  expect_close(chain.evaluate(lambda).wait, delayed / drain, 1e-12L, "mean wait");
  for (const long double t : {0.0L, 1.0L, 300.0L, 5000.0L}) {
    expect_close(chain.wait_survival(lambda, t), delayed * std::exp(-drain * t), 1e-12L,
                 "survival");
  }
  expect_close(chain.wait_quantile(lambda, 0.99L), std::log(delayed / 0.01L) / drain, 1e-12L,
               "99th percentile");
  EXPECT_EQ(chain.wait_quantile(lambda, 0.3L), 0.0L);
}

// alpha = 0: the rate is the same in every batch, so only the number of places counts.
TEST(OracleClosedForm, SharedProcessor) {
  const QueueParams wide{0, 0.05, 0.001, 100, 50, 1 << 24, 40, 10};
  QueueParams narrow = wide;
  narrow.max_batch = 5;
  narrow.max_queue = 45;
  const long double lambda = 0.9L * mu(wide, 1);
  const std::vector<long double> a = Chain(wide).probabilities(lambda);
  const std::vector<long double> b = Chain(narrow).probabilities(lambda);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t n = 0; n < a.size(); ++n) expect_close(a[n], b[n], 1e-14L, "P(n)");
}

TEST(OracleLaws, BalanceAndLittle) {
  Random random(testing::test_seed());
  for (int round = 0; round < 200; ++round) {
    const QueueParams params = random_params(random);
    const Chain chain(params);
    const double load = log_uniform(random, 1e-6, 1e6);
    const long double lambda = load * chain.departure_rate(params.max_batch);
    const Metrics at = chain.evaluate(lambda);
    const std::vector<long double> p = chain.probabilities(lambda);
    EXPECT_NEAR(static_cast<double>(std::accumulate(p.begin(), p.end(), 0.0L)), 1.0, 1e-15);
    long double departures = 0;
    for (std::size_t n = 1; n < p.size(); ++n) {
      const long double rate = chain.departure_rate(
          std::min<std::int64_t>(static_cast<std::int64_t>(n), params.max_batch));
      departures += p[n] * rate;
      // Flow up equals flow down between neighbours.
      expect_close(p[n] * rate, p[n - 1] * lambda, 1e-14L, "balance");
    }
    expect_close(departures, at.throughput, 1e-14L, "throughput");
    expect_close(at.throughput * (at.serv + at.wait), at.in_system, 1e-14L, "Little's law");
    EXPECT_NEAR(static_cast<double>(at.accepted + at.drop_probability), 1.0, 1e-15);
    expect_close(at.prefill + static_cast<long double>(params.out_tokens) * at.itl, at.serv, 1e-14L,
                 "service = prefill + decode");
  }
}

// A large chain, far overloaded and hardly used: the limits are known.
TEST(OracleLaws, Extremes) {
  const QueueParams params{12, 0.05, 0.0005, 128, 512, 8192, 4096, 10000};
  const Chain chain(params);
  const long double full = chain.departure_rate(4096);
  const Metrics flooded = chain.evaluate(1e15L * full);
  expect_close(flooded.throughput, full, 1e-12L, "throughput");
  expect_close(flooded.in_service, 4096, 1e-12L, "in service");
  expect_close(flooded.wait, 10000 / full, 1e-12L, "wait");
  const Metrics idle = chain.evaluate(1e-15L * chain.departure_rate(1));
  expect_close(idle.serv, 1 / chain.departure_rate(1), 1e-12L, "service alone");
  EXPECT_LT(idle.wait, 1e-30L);
  EXPECT_EQ(idle.chunks, chunk_count(params, 1));
}

// The mean of the wait is the area under its survival function.
TEST(OracleWait, MeanIsAreaUnderSurvival) {
  Random random(testing::test_seed());
  for (int round = 0; round < 10; ++round) {
    QueueParams params = random_params(random);
    params.max_queue += 1;
    const Chain chain(params);
    const long double lambda =
        log_uniform(random, 0.5, 3.0) * chain.departure_rate(params.max_batch);
    const long double queue = static_cast<long double>(params.max_queue);
    // Beyond this the longest wait, an Erlang of `queue` stages, has no weight left.
    const long double end =
        (queue + 12 * std::sqrt(queue) + 60) / chain.departure_rate(params.max_batch);
    const int steps = 2000;
    long double area = 0;
    for (int i = 0; i <= steps; ++i) {
      const int weight = i == 0 || i == steps ? 1 : (i % 2 == 1 ? 4 : 2);
      area += weight * chain.wait_survival(lambda, end * i / steps);
    }
    area *= end / steps / 3;
    expect_close(area, chain.evaluate(lambda).wait, 1e-5L, "mean wait");
    for (const long double p : {0.5L, 0.9L, 0.99L}) {
      const long double t = chain.wait_quantile(lambda, p);
      EXPECT_LE(chain.wait_survival(lambda, t), 1 - p);
      if (t > 0) {
        EXPECT_GT(chain.wait_survival(lambda, t * (1 - 1e-12L)), 1 - p);
      }
    }
  }
}

// Mean and standard error over independent runs.
struct Estimate {
  explicit Estimate(const std::vector<double>& runs) {
    const double count = static_cast<double>(runs.size());
    for (const double value : runs) mean += value / count;
    double squares = 0;
    for (const double value : runs) squares += (value - mean) * (value - mean);
    error = std::sqrt(squares / (count - 1) / count);
  }
  double mean = 0;
  double error = 0;
};

// With 64 runs, 6 standard errors are passed by chance about once in ten million checks.
void expect_within_errors(const std::vector<double>& runs, long double expected, const char* what) {
  const Estimate estimate(runs);
  EXPECT_NEAR(estimate.mean, static_cast<double>(expected), 6 * estimate.error + 1e-12) << what;
}

TEST(OracleWait, MatchesSimulation) {
  Random random(testing::test_seed());
  struct Case {
    QueueParams params;
    double load;  // rate over mu(max_batch)
  };
  const std::vector<Case> cases = {{{12, 0.05, 0.0005, 128, 512, 8192, 8, 16}, 0.9},
                                   {{20, 0.06, 0.001, 2000, 64, 8192, 4, 40}, 0.95},
                                   {{12, 0.05, 0.0005, 128, 512, 8192, 24, 8}, 1.4},
                                   {{18, 0.08, 0.0005, 6000, 8, 8192, 12, 20}, 1.0},
                                   {{10, 0.05, 0.001, 100, 50, 8192, 1, 5}, 1.0}};
  for (const Case& one : cases) {
    const Chain chain(one.params);
    const double lambda =
        one.load * static_cast<double>(chain.departure_rate(one.params.max_batch));
    const Metrics expected = chain.evaluate(lambda);
    const std::vector<double> levels = {0.5, 0.9, 0.99};
    std::vector<double> quantiles;
    for (const double p : levels) {
      quantiles.push_back(static_cast<double>(chain.wait_quantile(lambda, p)));
    }
    std::vector<double> wait, service, batch, drops, throughput, delayed;
    std::vector<std::vector<double>> beyond(levels.size());
    for (int run = 0; run < 64; ++run) {
      const SimulationResult seen = simulate(chain, lambda, 1000, 10000, random());
      const double accepted = static_cast<double>(seen.waits.size());
      wait.push_back(seen.mean_wait);
      service.push_back(seen.mean_service);
      batch.push_back(seen.mean_in_service);
      drops.push_back(seen.drop_fraction);
      throughput.push_back(seen.throughput);
      const auto share_above = [&](double t) {
        return static_cast<double>(std::count_if(seen.waits.begin(), seen.waits.end(),
                                                 [t](double w) { return w > t; })) /
               accepted;
      };
      delayed.push_back(share_above(0));
      for (std::size_t i = 0; i < levels.size(); ++i)
        beyond[i].push_back(share_above(quantiles[i]));
    }
    SCOPED_TRACE("max_batch " + std::to_string(one.params.max_batch));
    expect_within_errors(wait, expected.wait, "mean wait");
    expect_within_errors(service, expected.serv, "mean service");
    expect_within_errors(batch, expected.in_service, "mean batch");
    expect_within_errors(drops, expected.drop_probability, "drops");
    expect_within_errors(throughput, expected.throughput, "throughput");
    expect_within_errors(delayed, chain.wait_survival(lambda, 0), "share that waits");
    for (std::size_t i = 0; i < levels.size(); ++i) {
      expect_within_errors(beyond[i], chain.wait_survival(lambda, quantiles[i]), "share beyond");
    }
    // The bounds mean something: the errors are a few percent of what is measured.
    EXPECT_LT(Estimate(wait).error, 0.03 * static_cast<double>(expected.wait));
    EXPECT_LT(Estimate(service).error, 0.01 * static_cast<double>(expected.serv));
  }
}

}  // namespace
}  // namespace tonnage::oracle
