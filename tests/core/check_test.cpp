// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// TONNAGE_CHECK: stops debug and sanitizer builds, costs nothing in others.
#include <gtest/gtest.h>

#include "core/src/check.hpp"

namespace tonnage {
namespace {

TEST(CheckDeathTest, StopsAtAFailedInvariant) {
#ifdef TONNAGE_CHECKS
  EXPECT_DEATH(TONNAGE_CHECK(1 + 1 == 3), "check_test.cpp:[0-9]+: internal check failed: .*== 3");
#else
  GTEST_SKIP() << "checks are compiled into debug and sanitizer builds alone";
#endif
}

TEST(Check, EvaluatesItsConditionOnceOrNever) {
  int evaluations = 0;
  TONNAGE_CHECK(++evaluations > 0);
#ifdef TONNAGE_CHECKS
  EXPECT_EQ(evaluations, 1);
#else
  EXPECT_EQ(evaluations, 0);
#endif
}

}  // namespace
}  // namespace tonnage
