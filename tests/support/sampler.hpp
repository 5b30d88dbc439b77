// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Numbers drawn for random tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

#include "support/seed.hpp"

namespace tonnage::testing {

class Sampler {
 public:
  // Both ends included.
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() % 1000003) / 1000003;
  }
  // Of either sign and any size from a hundredth to a thousand.
  double any_size() { return real(-1, 1) * std::pow(10.0, static_cast<double>(whole(-2, 3))); }

 private:
  std::mt19937_64 engine_{test_seed()};
};

}  // namespace tonnage::testing
