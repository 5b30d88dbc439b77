// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Explanations as JSON. Owns: the field names of that file.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/explanation.hpp"

namespace tonnage {

// {server: {priority, outcome, reason, wouldHelp: [sentence], options: [{accelerator, type,
// numReplicas, maxBatch, cards, cost, value, objective, pricedValue, cardsLacking,
// limitsBroken, chosen, note}]}}.
[[nodiscard]] std::string explanations_to_json(const std::vector<Explanation>& explanations);

}  // namespace tonnage
