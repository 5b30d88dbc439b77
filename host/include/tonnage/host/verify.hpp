// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An independent check of a plan, whoever made it. Owns: every rule that a plan must keep.
// Verification shares with the planner the queue of one replica and its sizing. It reads all other
// rules from the System and the OptimizerSpec by code of its own.
//
// Example:
//   #include "tonnage/io/plan_io.hpp"
//   #include "tonnage/io/spec_reader.hpp"
//   const tonnage::SpecReadResult fleet = tonnage::read_system("fleet.json");
//   const tonnage::PlanReadResult plan = tonnage::read_plan("plan.json");
//   const tonnage::System system(fleet.spec);
//   for (const auto& v : tonnage::verify_plan(system, fleet.spec.optimizer, plan.claims)) {
//     std::printf("%s: %s\n", v.server.c_str(), v.message.c_str());
//   }
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

// Relative tolerance of claims.
inline constexpr double kClaimTolerance = 1e-3;

// All violations: exclusions, capacity, targets, replicas, and claims that differ from the model.
// In order of server names, then those of the whole plan.
[[nodiscard]] std::vector<Violation> verify_plan(const System& system,
                                                 const OptimizerSpec& optimizer,
                                                 const PlanClaims& claims);

}  // namespace tonnage
