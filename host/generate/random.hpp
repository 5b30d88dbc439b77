// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Random numbers for generated fleets. Owns: the generator and its transforms. They use only
// operations that IEEE 754 and integer arithmetic fix, because distributions and exp of a standard
// library may differ between platforms.
#pragma once

#include <cmath>
#include <cstdint>

#include "tonnage/core/elementary.hpp"

namespace tonnage::generate {

// Purpose of a random stream. Every (seed, purpose, index) has its own stream, so adding a server
// or model leaves the others unchanged.
enum class Purpose : std::uint64_t { kAccelerator = 1, kPerformance, kTarget, kServer };

// SplitMix64 (G. Steele, D. Lea, C. Flood, 2014): a counter passed through a mixing function.
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::uint64_t index)
      : state_(mix(mix(mix(seed) + static_cast<std::uint64_t>(purpose)) + index)) {}

  // In [0, 1), multiples of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  // In [0, count).
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
  }
  // Standard normal, as the sum of twelve uniforms.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  double lognormal(double median, double sigma) { return median * portable_exp(sigma * normal()); }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t next() {
    const std::uint64_t z = mix(state_);
    state_ += 0x9e3779b97f4a7c15u;
    return z;
  }
  std::uint64_t state_;
};

// x >= 0 to `digits` significant digits, as the double nearest to that decimal number.
inline double round_digits(double x, int digits) {
  if (x <= 0) return 0;
  double limit = 1;
  for (int i = 0; i < digits; ++i) limit *= 10;
  double scale = 1;
  while (x * scale < limit / 10) scale *= 10;
  if (scale > 1 || x < limit) return std::round(x * scale) / scale;
  while (x / scale >= limit) scale *= 10;
  return std::round(x / scale) * scale;
}

// x to a multiple of 1/steps_per_unit.
inline double round_steps(double x, double steps_per_unit) {
  return std::round(x * steps_per_unit) / steps_per_unit;
}

}  // namespace tonnage::generate
