// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Random queues over the whole valid range, in the library's and in the oracle's terms.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>

#include "oracle/oracle.hpp"
#include "support/seed.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {

struct QueueSample {
  QueueShape shape;
  oracle::QueueParams oracle;

  [[nodiscard]] std::string describe() const {
    std::ostringstream s;
    s.precision(17);
    s << "alpha " << oracle.alpha << " beta " << oracle.beta << " gamma " << oracle.gamma << " k "
      << oracle.in_tokens << " m " << oracle.out_tokens << " T " << oracle.token_budget << " M "
      << oracle.max_batch << " Q " << oracle.max_queue;
    return s.str();
  }
};

class QueueSampler {
 public:
  QueueSampler() : engine_(testing::test_seed()) {}

  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  double log_uniform(double low, double high) {
    return low * std::exp(uniform(0, 1) * std::log(high / low));
  }
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return std::min(high, low + static_cast<std::int64_t>(
                                    uniform(0, 1) * static_cast<double>(high - low + 1)));
  }
  // Log-uniform whole number, 0 with probability 1/4 where low is 0.
  std::int64_t log_whole(std::int64_t low, std::int64_t high) {
    if (low == 0 && whole(0, 3) == 0) return 0;
    return static_cast<std::int64_t>(
        std::floor(log_uniform(static_cast<double>(std::max<std::int64_t>(low, 1)),
                               static_cast<double>(high) + 1)));
  }
  bool chance(double p) { return uniform(0, 1) < p; }

  QueueSample next(std::int64_t max_batch = 4096, std::int64_t max_queue = 10'000) {
    oracle::QueueParams p;
    p.alpha = chance(0.05) ? 0 : log_uniform(0.1, 100);
    p.beta = chance(0.05) ? 0 : log_uniform(1e-4, 1);
    p.gamma = chance(0.05) ? 0 : log_uniform(1e-7, 1e-2);
    if (p.alpha == 0 && p.beta == 0 && p.gamma == 0) p.alpha = 10;
    p.in_tokens = log_whole(0, 100'000);
    p.out_tokens = chance(0.15) ? 1 : log_whole(1, 4096);
    p.token_budget = chance(0.7) ? 8192 : log_whole(16, 65'536);
    p.max_batch = log_whole(1, max_batch);
    p.max_queue = log_whole(0, max_queue);
    QueueSample s;
    s.oracle = p;
    s.shape = {{p.alpha, p.beta, p.gamma, static_cast<double>(p.in_tokens),
                static_cast<double>(p.out_tokens), static_cast<double>(p.token_budget)},
               p.max_batch,
               p.max_queue};
    return s;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tonnage
