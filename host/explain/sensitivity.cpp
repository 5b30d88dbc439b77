// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Scales one input of a system and plans each result: analyze_sensitivity() of
// tonnage/host/sensitivity.hpp.
#include "tonnage/host/sensitivity.hpp"

#include <algorithm>
#include <cmath>

#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {
namespace {

constexpr double kMaxScale = 100;

void scale_load(SystemSpec& spec, double scale) {
  for (ServerSpec& server : spec.servers) {
    server.current_alloc.load.arrival_rate_per_min *= scale;
  }
  for (ServiceClassSpec& c : spec.service_classes) {
    for (ModelTargetSpec& target : c.model_targets) target.slo_tps *= scale;
  }
}

void scale_targets(SystemSpec& spec, double scale) {
  for (ServiceClassSpec& c : spec.service_classes) {
    for (ModelTargetSpec& target : c.model_targets) {
      target.slo_itl_ms *= scale;
      target.slo_ttft_ms *= scale;
      target.slo_e2e_ms *= scale;
    }
  }
}

SensitivityPoint planned(const SystemSpec& spec, const PlannerOptions& options) {
  const Plan plan = make_plan(System(spec), spec.optimizer, options);
  SensitivityPoint point;
  point.total_cost = plan.summary.total_cost;
  point.total_value = plan.summary.total_value;
  for (const PriorityOutcome& p : plan.summary.priorities) {
    point.served += p.served;
    point.partial += p.partial;
    point.unserved += p.unserved;
  }
  return point;
}

}  // namespace

std::vector<SensitivityPoint> analyze_sensitivity(const SystemSpec& spec,
                                                  const SensitivityOptions& options) {
  for (const double scale : options.scales) {
    // A scale of 0 would remove targets.
    if (!(scale > 0 && scale <= kMaxScale)) {
      throw Error(ErrorCode::kInvalidInput,
                  "scale " + std::to_string(scale) + " is not above 0 and at most 100");
    }
  }
  std::vector<SensitivityAxis> axes = options.axes;
  if (axes.empty())
    axes = {SensitivityAxis::kCapacity, SensitivityAxis::kLoad, SensitivityAxis::kSlo};
  std::vector<std::size_t> capacities(spec.capacities.size());
  for (std::size_t i = 0; i < capacities.size(); ++i) capacities[i] = i;
  std::sort(capacities.begin(), capacities.end(), [&](std::size_t a, std::size_t b) {
    return spec.capacities[a].type < spec.capacities[b].type;
  });

  PlannerOptions planner = options.planner;
  planner.progress = nullptr;
  std::vector<SensitivityPoint> points;
  std::int64_t total = 0;
  for (const SensitivityAxis axis : axes) {
    const std::size_t runs = axis == SensitivityAxis::kCapacity ? capacities.size() : 1;
    total += static_cast<std::int64_t>(runs * options.scales.size());
  }
  const auto add = [&](SensitivityAxis axis, const std::string& type, double scale,
                       std::int64_t cards, const SystemSpec& scaled) {
    if (options.planner.progress) {
      options.planner.progress("planning", std::ssize(points), total);
    }
    SensitivityPoint point = planned(scaled, planner);
    point.axis = axis;
    point.type = type;
    point.scale = scale;
    point.cards = cards;
    points.push_back(std::move(point));
  };
  for (const SensitivityAxis axis : axes) {
    if (axis == SensitivityAxis::kCapacity) {
      for (const std::size_t i : capacities) {
        for (const double scale : options.scales) {
          SystemSpec scaled = spec;
          std::int64_t& count = scaled.capacities[i].count;
          count = static_cast<std::int64_t>(std::llround(static_cast<double>(count) * scale));
          add(axis, scaled.capacities[i].type, scale, count, scaled);
        }
      }
      continue;
    }
    for (const double scale : options.scales) {
      SystemSpec scaled = spec;
      axis == SensitivityAxis::kLoad ? scale_load(scaled, scale) : scale_targets(scaled, scale);
      add(axis, "", scale, 0, scaled);
    }
  }
  return points;
}

}  // namespace tonnage
