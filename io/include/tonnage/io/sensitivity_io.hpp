// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sensitivity runs as JSON and as comma-separated values. Owns: the field names of these files.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/sensitivity.hpp"

namespace tonnage {

// JSON array of {axis, type, scale, cards, totalCost, totalValue, served, partial, unserved}; type
// and cards only on the capacity axis.
[[nodiscard]] std::string sensitivity_to_json(const std::vector<SensitivityPoint>& points);
// The same fields as comma-separated values with a header; type and cards are empty on other axes.
[[nodiscard]] std::string sensitivity_to_csv(const std::vector<SensitivityPoint>& points);

}  // namespace tonnage
