// A plan as a person reads it.
#pragma once

#include <cstddef>
#include <string>

#include "tonnage/core/plan.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::cli {

// Servers with what was chosen against which targets, cards and cost by type, outcome by priority,
// totals, and what could not be served and why. At most `most` rows a list; 0: all.
[[nodiscard]] std::string plan_to_table(const Plan& plan, const System& system, std::size_t most,
                                        bool colored);

// "2 x A100 + 1 x L4": what an allocation combines.
[[nodiscard]] std::string parts_text(const std::vector<AllocationPart>& parts);

}  // namespace tonnage::cli
