// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A lane type of 32 doubles: the registers of a warp whose threads each run the shared numerics on
// one double.
#pragma once

#include <cmath>
#include <cstdint>

#include "tonnage/core/lanes.hpp"

namespace tonnage::test {

inline constexpr int kWide = 32;

struct WideMask {
  std::uint32_t bits = 0;
  friend WideMask operator&(WideMask a, WideMask b) { return {a.bits & b.bits}; }
  friend WideMask operator|(WideMask a, WideMask b) { return {a.bits | b.bits}; }
};

struct Wide {
  double v[kWide];

  Wide() = default;
  explicit Wide(double x) {
    for (double& lane : v) lane = x;
  }

  template <class Operation>
  static Wide map(const Operation& operation) {
    Wide r;
    for (int t = 0; t < kWide; ++t) r.v[t] = operation(t);
    return r;
  }
  template <class Condition>
  static WideMask test(const Condition& condition) {
    WideMask m;
    for (int t = 0; t < kWide; ++t) m.bits |= condition(t) ? 1u << t : 0u;
    return m;
  }

  friend Wide operator+(const Wide& a, const Wide& b) {
    return map([&](int t) { return a.v[t] + b.v[t]; });
  }
  friend Wide operator-(const Wide& a, const Wide& b) {
    return map([&](int t) { return a.v[t] - b.v[t]; });
  }
  friend Wide operator*(const Wide& a, const Wide& b) {
    return map([&](int t) { return a.v[t] * b.v[t]; });
  }
  friend Wide operator/(const Wide& a, const Wide& b) {
    return map([&](int t) { return a.v[t] / b.v[t]; });
  }
  friend WideMask operator<(const Wide& a, const Wide& b) {
    return test([&](int t) { return a.v[t] < b.v[t]; });
  }
  friend WideMask operator>(const Wide& a, const Wide& b) { return b < a; }
  friend WideMask operator<=(const Wide& a, const Wide& b) {
    return test([&](int t) { return a.v[t] <= b.v[t]; });
  }
};

inline Wide lane_fma(const Wide& a, const Wide& b, const Wide& c) {
  return Wide::map([&](int t) { return std::fma(a.v[t], b.v[t], c.v[t]); });
}
inline Wide lane_fnma(const Wide& a, const Wide& b, const Wide& c) {
  return Wide::map([&](int t) { return std::fma(-a.v[t], b.v[t], c.v[t]); });
}
inline Wide lane_select(WideMask mask, const Wide& a, const Wide& b) {
  return Wide::map([&](int t) { return (mask.bits >> t & 1) != 0 ? a.v[t] : b.v[t]; });
}
inline Wide lane_max(const Wide& a, const Wide& b) { return lane_select(a > b, a, b); }
inline Wide lane_min(const Wide& a, const Wide& b) { return lane_select(a < b, a, b); }
inline bool lane_any(WideMask mask) { return mask.bits != 0; }

}  // namespace tonnage::test

template <>
struct tonnage::LaneTraits<tonnage::test::Wide> {
  using Mask = tonnage::test::WideMask;
};
