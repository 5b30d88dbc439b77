// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What a plan states of itself as a whole, against the sums over its allocations. Owns: the totals,
// and the checks of capacity, limits, summary and certificate.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tonnage/core/plan.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/verify.hpp"

namespace tonnage::verify {

// Whether what is claimed, if anything is, lies within a share of the truth, or of `scale` where
// that is larger.
[[nodiscard]] bool claim_holds(const std::optional<double>& claimed, double truth, double scale = 0,
                               double tolerance = kClaimTolerance);
// "cost is stated as 3, it is 4".
[[nodiscard]] std::string claim_text(const std::string& field, double claimed, double truth);

// Sums over the allocations that a plan claims, as the model has them.
struct PlanTotals {
  struct Type {
    std::int64_t used = 0;  // cards
    double cost = 0;
  };
  std::map<std::string, Type> types;
  std::map<int, PriorityOutcome> outcomes;  // by priority
  std::set<std::string> whole;              // servers with a whole allocation
  double whole_objective = 0;               // of those
  double cost = 0;
  double value = 0;
  double power_w = 0;  // of the site
  std::int64_t changes = 0;
  bool costs_known = true;  // of every allocation; the same of the others
  bool values_known = true;
  bool power_known = true;
};

struct PlanViolation {
  const char* kind;
  std::string message;
};

// `sound`: the allocations hold, so that the distance from the best plan is worth a look.
[[nodiscard]] std::vector<PlanViolation> check_totals(const System& system,
                                                      const OptimizerSpec& optimizer,
                                                      const PlanClaims& claims,
                                                      const PlanTotals& totals, bool sound);

}  // namespace tonnage::verify
