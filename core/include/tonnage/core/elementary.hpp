// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// exp, expm1 and log made of additions, multiplications and a division, so that every backend and
// every C library gives the same bits. Owns: the transcendental functions on the decision path.
// Host and device code.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "tonnage/core/lanes.hpp"

namespace tonnage {

// Constants, because device code may not call std::numeric_limits.
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kLeastNormal = std::numeric_limits<double>::min();

// ln 2 as a part of 32 bits, whole multiples of which below 2^21 are exact, and the rest.
inline constexpr double kLn2High = 0x1.62e42feep-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;

// 2^k for -1022 <= k <= 1023.
TONNAGE_HD double power_of_two(std::int64_t k) {
  const auto bits = static_cast<std::uint64_t>(k + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

// e^x = 2^k (1 + p), |p| < 0.42, for |x| < 1e6. The Taylor series up to x^13, next term 4e-18; even
// and odd terms apart, so that they are computed side by side.
struct ReducedExponent {
  std::int64_t k;
  double p;
};
TONNAGE_HD ReducedExponent reduce_exponent(double x) {
  const auto k = static_cast<std::int64_t>(x * kLog2E + (x < 0 ? -0.5 : 0.5));
  const auto times = static_cast<double>(k);
  const double r = (x - times * kLn2High) - times * kLn2Low;
  const double r2 = r * r;
  double even = 1.0 / 479001600.0;
  even = even * r2 + 1.0 / 3628800.0;
  even = even * r2 + 1.0 / 40320.0;
  even = even * r2 + 1.0 / 720.0;
  even = even * r2 + 1.0 / 24.0;
  even = even * r2 + 0.5;
  double odd = 1.0 / 6227020800.0;
  odd = odd * r2 + 1.0 / 39916800.0;
  odd = odd * r2 + 1.0 / 362880.0;
  odd = odd * r2 + 1.0 / 5040.0;
  odd = odd * r2 + 1.0 / 120.0;
  odd = odd * r2 + 1.0 / 6.0;
  return {k, r + r2 * (even + r * odd)};
}

// e^x within 1.1 ulp; 0 and infinity beyond the range of a double, NaN for NaN.
TONNAGE_HD double portable_exp(double x) {
  if (!(x >= -746)) return x != x ? x : 0.0;
  if (x > 710) return kInfinity;
  const ReducedExponent e = reduce_exponent(x);
  // In two steps: 2^k itself may be out of range where the result is not.
  const std::int64_t half = e.k / 2;
  return (1.0 + e.p) * power_of_two(half) * power_of_two(e.k - half);
}

// e^x - 1 within 2.5 ulp, also near 0.
TONNAGE_HD double portable_expm1(double x) {
  if (x < -40) return -1.0;
  if (!(x <= 40)) return portable_exp(x);
  const ReducedExponent e = reduce_exponent(x);
  const double scale = power_of_two(e.k);
  return scale * e.p + (scale - 1.0);
}

// Natural logarithm within 1 ulp; -infinity at 0, NaN below and for NaN.
TONNAGE_HD double portable_log(double x) {
  constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
  if (!(x > 0)) return x == 0 ? -kInfinity : kNan;
  if (!(x < kInfinity)) return x;
  const bool is_subnormal = x < kLeastNormal;
  if (is_subnormal) x *= 0x1p54;
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  double exponent = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
  if (is_subnormal) exponent -= 54;
  bits = (bits & kFraction) | (std::uint64_t{1023} << 52);
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  // log(1 + f) = 2 artanh(s) = 2s + 2s R(s^2), and 2s = f - s f: rounding touches small terms only.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double z2 = z * z;
  double even = 1.0 / 21;
  even = even * z2 + 1.0 / 17;
  even = even * z2 + 1.0 / 13;
  even = even * z2 + 1.0 / 9;
  even = even * z2 + 1.0 / 5;
  double odd = 1.0 / 19;
  odd = odd * z2 + 1.0 / 15;
  odd = odd * z2 + 1.0 / 11;
  odd = odd * z2 + 1.0 / 7;
  odd = odd * z2 + 1.0 / 3;
  const double series = z * (odd + z * even);
  const double small = exponent * kLn2Low - s * (f - 2.0 * series);
  return exponent * kLn2High + (f + small);
}

}  // namespace tonnage
