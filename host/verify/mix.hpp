// What the model says about an allocation that combines accelerators, apart from what makes plans.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

struct MixTruth {
  bool placed =
      false;  // accelerators, performance data and counts make sense: what follows is known
  double cost = 0;
  double value = 0;
  bool moves = true;    // on other accelerators than the current allocation
  bool changed = true;  // than the current allocation
  bool sized = false;   // what follows is known
  AllocationMetrics metrics;
  struct Cards {
    std::string type;
    std::int64_t cards;
    double cost;
  };
  std::vector<Cards> cards;  // of each part
};

using ReportViolation = std::function<void(const char* kind, std::string message)>;

// Checks the parts of a claim against the server and its load and reports what is wrong.
[[nodiscard]] MixTruth check_mix(const System& system, const OptimizerSpec& optimizer,
                                 const Server& server, const ServerRow& row,
                                 const AllocationClaims& claim, const ReportViolation& report);

}  // namespace tonnage
