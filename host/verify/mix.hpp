// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A claimed allocation that combines accelerators. Owns: what holds for its parts, and what the
// model says about all of them together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/verify/rules.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::verify {

struct MixTruth {
  // Accelerators, performance data and counts make sense: what follows is known.
  bool placed = false;
  double cost = 0;
  Transition transition;
  struct Cards {
    std::string type;
    std::int64_t cards;
    double cost;
  };
  std::vector<Cards> cards;  // of each part
  bool sized = false;        // what follows is known
  AllocationMetrics metrics;
};

using ReportViolation = std::function<void(const char* kind, std::string message)>;

// Checks the parts of a claim against the server and its load and reports what is wrong.
[[nodiscard]] MixTruth check_mix(const System& system, const OptimizerSpec& optimizer,
                                 const Demand& demand, const AllocationClaims& claim,
                                 const ReportViolation& report);

}  // namespace tonnage::verify
