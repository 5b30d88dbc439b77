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

// Everything wrong with the plan: what servers may use, the cards there are, targets, replicas, and
// each claim against what the model says. By server name, then those of the whole plan.
[[nodiscard]] std::vector<Violation> verify_plan(const System& system,
                                                 const OptimizerSpec& optimizer,
                                                 const PlanClaims& claims);

}  // namespace tonnage
