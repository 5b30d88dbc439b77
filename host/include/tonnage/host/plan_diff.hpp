// What changes between two plans. Owns: which differences count: presence, accelerator, replicas,
// batch size and cost; metrics do not.
#pragma once

#include <vector>

#include "tonnage/core/plan_claims.hpp"

namespace tonnage {

// Servers whose allocation differs, by name. A field that either plan does not claim is no
// difference; costs differ beyond 1e-9 relative.
[[nodiscard]] std::vector<PlanChange> diff_plans(const PlanClaims& before, const PlanClaims& after);

}  // namespace tonnage
