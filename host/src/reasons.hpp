// Sentences that say why a pair is no candidate or a server has no allocation.
#pragma once

#include <string>
#include <vector>

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

// What the best option of a server would take, `used` being the cards taken of each type.
[[nodiscard]] std::string no_capacity_detail(const Problem& problem, const OptionTable& table,
                                             std::int64_t server,
                                             const std::vector<std::int64_t>& used);

}  // namespace tonnage
