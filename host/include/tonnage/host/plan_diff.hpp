// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Differences between two plans. Owns: which differences count: presence, accelerator, replicas,
// batch size and cost, but not metrics.
//
// Example:
//   #include "tonnage/io/plan_io.hpp"
//   const tonnage::PlanReadResult before = tonnage::read_plan("monday.json");
//   const tonnage::PlanReadResult after = tonnage::read_plan("tuesday.json");
//   for (const tonnage::PlanChange& c : tonnage::diff_plans(before.claims, after.claims)) {
//     std::printf("%s: %+g cents/hour\n", c.server.c_str(), c.cost_difference);
//   }
#pragma once

#include <vector>

#include "tonnage/core/plan_claims.hpp"

namespace tonnage {

// Servers whose allocation differs, in order of names. A field that only one plan states is no
// difference; costs differ beyond 1e-9 relative.
[[nodiscard]] std::vector<PlanChange> diff_plans(const PlanClaims& before, const PlanClaims& after);

}  // namespace tonnage
