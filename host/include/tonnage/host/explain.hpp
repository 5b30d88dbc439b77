// Explains a plan: the options of every server and why one of them won.
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
