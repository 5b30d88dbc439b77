// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sensitivity of a plan to capacity, load and targets. Owns: the result type of sensitivity runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

enum class SensitivityAxis { kCapacity, kLoad, kSlo };

[[nodiscard]] constexpr std::string_view to_string(SensitivityAxis axis) noexcept {
  switch (axis) {
    case SensitivityAxis::kCapacity:
      return "capacity";
    case SensitivityAxis::kLoad:
      return "load";
    case SensitivityAxis::kSlo:
      return "slo";
  }
  return "unknown";
}

// Totals of the plan of the system with one input scaled.
struct SensitivityPoint {
  SensitivityAxis axis = SensitivityAxis::kCapacity;
  std::string type;        // of the cards scaled; empty for the other axes
  double scale = 1;        // of capacity, arrival rates and throughput targets, or latency targets
  std::int64_t cards = 0;  // of the type at this scale
  double total_cost = 0;   // cents/hour
  double total_value = 0;
  std::int64_t served = 0, partial = 0, unserved = 0;  // servers
};

}  // namespace tonnage
