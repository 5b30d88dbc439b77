// Sentences that say why a pair is no candidate or a server has no allocation.
#pragma once

#include <string>
#include <vector>

#include "host/plan/planning.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

class System;

// How far the best latency of an infeasible line is above its target; 0 for other reasons.
[[nodiscard]] double miss_ratio(const ServerRow& server, const LineOutcome& outcome);

// A clause that says why one pair is not a candidate, with the values that decide it.
[[nodiscard]] std::string pair_detail(const ServerRow& server, const LineOutcome& outcome);

// Why a server has no candidate on any accelerator: the nearest misses first.
[[nodiscard]] std::string no_candidates_detail(const Problem& problem,
                                               const std::vector<LineOutcome>& outcomes,
                                               std::int64_t server);

// Why a server is not plannable, with the names that are unknown.
[[nodiscard]] std::string server_detail(const System& system, const std::string& name,
                                        Reason reason);

// What the best option of a server lacks, `left` being what the plan leaves of each resource.
[[nodiscard]] std::string no_capacity_detail(const Planning& planning, std::int64_t server,
                                             const std::vector<std::int64_t>& left);

// The limits that an option would break, with what it takes and what is left: "3 servers of
// maxChanges (0 are left)". Empty if none. `has` is taken by what would give way.
[[nodiscard]] std::string broken_limits(const Planning& planning, const Option& option,
                                        const Option* has, const std::vector<std::int64_t>& left);

}  // namespace tonnage
