// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans as claims for verification, and violations as text that tests compare.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tonnage/core/plan.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage::testing {

// The claims that the file of a plan states.
inline PlanClaims claims_of(const Plan& plan) {
  PlanReadResult read = read_plan_from_string(plan_to_json(plan), "plan");
  EXPECT_TRUE(read.ok()) << read.diagnostics.to_text();
  return read.claims;
}

inline std::string to_text(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& v : violations) text += v.server + ": " + v.kind + ": " + v.message + "\n";
  return text;
}

inline std::set<std::string> kinds(const std::vector<Violation>& violations) {
  std::set<std::string> result;
  for (const Violation& v : violations) result.insert(v.kind);
  return result;
}

}  // namespace tonnage::testing
