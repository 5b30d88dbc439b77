// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A plan as tables for a terminal. Owns: their columns and the sentence about the certificate.
#pragma once

#include <cstddef>
#include <string>

#include "tonnage/core/plan.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::cli {

// Tables of servers with allocations and targets, cards and cost by type, outcome by priority,
// totals, and unserved servers with reasons. At most `most` rows each; 0: all.
[[nodiscard]] std::string plan_to_table(const Plan& plan, const System& system, std::size_t most,
                                        bool colored);

// The parts of a combined allocation: "2 x A100 + 1 x L4".
[[nodiscard]] std::string parts_text(const std::vector<AllocationPart>& parts);

}  // namespace tonnage::cli
