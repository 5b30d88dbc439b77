// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Explains a plan: the options of every server, and why one of them was chosen. Owns:
// explain_plan(); the result type is in tonnage/core/explanation.hpp.
//
// Example:
//   #include "tonnage/io/spec_reader.hpp"
//   const tonnage::SpecReadResult read = tonnage::read_system("fleet.json");
//   const tonnage::System system(read.spec);
//   for (const auto& e : tonnage::explain_plan(system, read.spec.optimizer, "chat-1")) {
//     std::printf("%s: %s\n", e.outcome.c_str(), e.reason.c_str());
//   }
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/explanation.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {

// Plans the system and explains the outcome of one server, or of all in order of name (`server`
// empty). Throws Error (kNotFound) for a server the system does not know.
[[nodiscard]] std::vector<Explanation> explain_plan(const System& system,
                                                    const OptimizerSpec& optimizer,
                                                    const std::string& server = {},
                                                    const PlannerOptions& options = {});

}  // namespace tonnage
