// Plans again and again with one thing scaled: the cards of a type, the load, the targets.
#pragma once

#include <vector>

#include "tonnage/core/sensitivity.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {

struct SensitivityOptions {
  // Which axes, in this order; empty: all. Capacity: each type with a capacity entry in turn.
  std::vector<SensitivityAxis> axes;
  // Scales within 0..100; 1 is the system as it is. Cards are rounded to the nearest whole.
  std::vector<double> scales = {0.8, 0.9, 1.0, 1.1, 1.2};
  PlannerOptions planner;  // its progress callback counts plans
};

// A plan for every axis and scale. Load: arrival rates, and throughput targets, which stand for
// load. SLO: targets of ITL, TTFT and response time; above 1 is looser. Throws what make_plan and
// System throw, and Error (kInvalidInput) for a scale out of range.
[[nodiscard]] std::vector<SensitivityPoint> analyze_sensitivity(
    const SystemSpec& spec, const SensitivityOptions& options = {});

}  // namespace tonnage
