// An independent check of a plan, ours or anybody's. Owns: every rule a plan must keep, tested from
// the model's formulas and not from how plans are made.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

// Claims may be off by this much, relative to the true value.
inline constexpr double kClaimTolerance = 1e-3;

struct Violation {
  std::string server;   // empty: the plan as a whole
  std::string kind;     // one word or two for programs, e.g. "capacity", "cost", "itl-target"
  std::string message;  // a sentence for people, with the values

  friend bool operator==(const Violation&, const Violation&) = default;
};

// Everything wrong with the plan: what servers may use, the cards there are, targets, replicas, and
// each claim against what the model says. By server name, then those of the whole plan.
[[nodiscard]] std::vector<Violation> verify_plan(const System& system,
                                                 const OptimizerSpec& optimizer,
                                                 const PlanClaims& claims);

}  // namespace tonnage
