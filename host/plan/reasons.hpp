// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sentences that say why a pair is no candidate or a server has no allocation. Owns: these texts
// for plans, candidates and explanations.
#pragma once

#include <string>
#include <vector>

#include "host/plan/planning.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

class System;

// Best achievable figure of an infeasible line over its target; 0 for other reasons.
[[nodiscard]] double miss_ratio(const ServerRow& server, const LineOutcome& outcome);

// A clause that says why one pair is not a candidate, with the values that decide it.
[[nodiscard]] std::string pair_detail(const ServerRow& server, const LineOutcome& outcome);

// Why a server has no candidate on any accelerator. Accelerators that miss by least come first.
[[nodiscard]] std::string no_candidates_detail(const Problem& problem,
                                               const std::vector<LineOutcome>& outcomes,
                                               std::int64_t server);

// Why a server cannot be planned, naming what is unknown.
[[nodiscard]] std::string server_detail(const System& system, const std::string& name,
                                        Reason reason);

// How much the best option of a server is short of. `left`: what the plan leaves of each resource.
[[nodiscard]] std::string no_capacity_detail(const Planning& planning, std::int64_t server,
                                             const std::vector<std::int64_t>& left);

// The limits that an option would break, with its use and what is left: "3 of maxChanges (0 left)".
// Empty if none. `has`: the option that would be given up, or null.
[[nodiscard]] std::string broken_limits(const Planning& planning, const Option& option,
                                        const Option* has, const std::vector<std::int64_t>& left);

}  // namespace tonnage
