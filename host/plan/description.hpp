// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What was chosen for a server, told in full: names, batch size, cost, and what each replica sees.
#pragma once

#include <cstdint>
#include <vector>

#include "host/plan/planning.hpp"
#include "tonnage/core/plan.hpp"

namespace tonnage {

// Fills in allocation (but for its load) and metrics of a line with at least one replica.
void describe_line(const Problem& problem, const LineRow& line, const LineOutcome& outcome,
                   ServerAllocation& described);

// What a plan grants of an option: all of its replicas, or fewer (a partial allocation).
[[nodiscard]] PlannedServer describe_choice(const System& system, const Planning& planning,
                                            const Choice& choice);

}  // namespace tonnage
