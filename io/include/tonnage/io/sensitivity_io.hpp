// Sensitivity runs as text.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/sensitivity.hpp"

namespace tonnage {

// [{axis, type, scale, cards, totalCost, totalValue, served, partial, unserved}]; type and cards
// for capacity alone.
[[nodiscard]] std::string sensitivity_to_json(const std::vector<SensitivityPoint>& points);
// The same as rows with a header; type and cards empty on the other axes.
[[nodiscard]] std::string sensitivity_to_csv(const std::vector<SensitivityPoint>& points);

}  // namespace tonnage
