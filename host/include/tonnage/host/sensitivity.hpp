// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sensitivity runs: plans a system repeatedly with one input scaled (the cards of a type, the load,
// or the targets). Owns: the axes and their scaling.
//
// Example:
//   #include "tonnage/io/spec_reader.hpp"
//   tonnage::SensitivityOptions options;
//   options.axes = {tonnage::SensitivityAxis::kLoad};
//   options.scales = {0.5, 1.0, 2.0};
//   const tonnage::SystemSpec spec = tonnage::read_system("fleet.json").spec;
//   for (const tonnage::SensitivityPoint& p : tonnage::analyze_sensitivity(spec, options)) {
//     std::printf("%g: %g cents/hour\n", p.scale, p.total_cost);
//   }
#pragma once

#include <vector>

#include "tonnage/core/sensitivity.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {

struct SensitivityOptions {
  // The axes, in this order; empty: all. Capacity scales each type with a capacity entry in turn.
  std::vector<SensitivityAxis> axes;
  // Scales within 0..100; 1 is the system as it is. Cards are rounded to the nearest whole.
  std::vector<double> scales = {0.8, 0.9, 1.0, 1.1, 1.2};
  PlannerOptions planner;  // its progress callback counts plans
};

// One plan for every axis and scale. Load scales arrival rates, and throughput targets, which stand
// for load. SLO scales targets of ITL, TTFT and response time; above 1 is looser. Throws as
// make_plan and System, and Error (kInvalidInput) for a scale out of range.
[[nodiscard]] std::vector<SensitivityPoint> analyze_sensitivity(
    const SystemSpec& spec, const SensitivityOptions& options = {});

}  // namespace tonnage
