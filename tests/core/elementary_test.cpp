// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The functions of elementary.hpp against the C library's in extended precision.
#include "tonnage/core/elementary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "support/seed.hpp"

namespace tonnage {
namespace {

// Distance in units of the last place of what would be right.
double ulps(double got, long double want) {
  const auto nearest = static_cast<double>(want);
  if (got == nearest) return 0;
  const double unit = std::nextafter(std::fabs(nearest), HUGE_VAL) - std::fabs(nearest);
  return static_cast<double>(std::fabs(got - want)) / unit;
}

struct Worst {
  double ulps = 0;
  double at = 0;
  void add(double x, double error) {
    if (!(error <= ulps)) *this = {error, x};
  }
};

TEST(Elementary, WithinTheStatedBounds) {
  std::mt19937_64 engine(testing::test_seed());
  std::uniform_real_distribution<double> unit(-1, 1);
  Worst exp, expm1, log, log_near_1;
  for (int i = 0; i < 2'000'000; ++i) {
    const double x = unit(engine) * std::pow(10.0, 3.0 * unit(engine) - 0.2);
    if (std::fabs(x) < 709) {
      exp.add(x, ulps(portable_exp(x), std::exp(static_cast<long double>(x))));
      expm1.add(x, ulps(portable_expm1(x), std::expm1(static_cast<long double>(x))));
    }
    const double wide = std::exp(700 * unit(engine));
    log.add(wide, ulps(portable_log(wide), std::log(static_cast<long double>(wide))));
    const double near = 1 + unit(engine) * std::pow(10.0, 8 * unit(engine) - 8.5);
    log_near_1.add(near, ulps(portable_log(near), std::log(static_cast<long double>(near))));
  }
  std::printf("  ulp: exp %.3f at %g, expm1 %.3f at %g, log %.3f at %g and %.3f at %.17g\n",
              exp.ulps, exp.at, expm1.ulps, expm1.at, log.ulps, log.at, log_near_1.ulps,
              log_near_1.at);
  EXPECT_LT(exp.ulps, 1.1);
  EXPECT_LT(expm1.ulps, 2.5);
  EXPECT_LT(std::max(log.ulps, log_near_1.ulps), 1);
}

TEST(Elementary, EndsOfTheRange) {
  EXPECT_EQ(portable_exp(0.0), 1.0);
  EXPECT_EQ(portable_exp(-0.0), 1.0);
  EXPECT_EQ(portable_exp(-kInfinity), 0.0);
  EXPECT_EQ(portable_exp(-746.0), 0.0);
  EXPECT_EQ(portable_exp(-745.0), 0x1p-1074);
  EXPECT_EQ(portable_exp(710.0), kInfinity);
  EXPECT_EQ(portable_exp(kInfinity), kInfinity);
  EXPECT_LT(portable_exp(709.78), kInfinity);
  EXPECT_TRUE(std::isnan(portable_exp(kNan)));
  EXPECT_EQ(portable_expm1(0.0), 0.0);
  EXPECT_EQ(portable_expm1(1e-300), 1e-300);
  EXPECT_EQ(portable_expm1(-1000.0), -1.0);
  EXPECT_EQ(portable_expm1(1000.0), kInfinity);
  EXPECT_TRUE(std::isnan(portable_expm1(kNan)));
  EXPECT_EQ(portable_log(1.0), 0.0);
  EXPECT_EQ(portable_log(0.0), -kInfinity);
  EXPECT_EQ(portable_log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(portable_log(-1.0)));
  EXPECT_TRUE(std::isnan(portable_log(kNan)));
  EXPECT_LT(ulps(portable_log(0x1p-1074), std::log(0x1p-1074L)), 1);
}

}  // namespace
}  // namespace tonnage
