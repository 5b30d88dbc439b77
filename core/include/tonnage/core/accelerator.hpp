// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An accelerator: a purchasable unit of one or several cards of a type.
// Owns: its spec and the power curve derived from it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "tonnage/core/spec.hpp"

namespace tonnage {

// Power at utilisation u, W: idle + slope_low * u up to mid_util, mid + slope_high * (u - mid_util)
// above.
struct PowerCurve {
  double mid_util = 1;
  double idle_w = 0;
  double slope_low_w = 0;
  double mid_w = 0;
  double slope_high_w = 0;
};

class Accelerator {
 public:
  // Precomputes the slopes of the power curve.
  explicit Accelerator(AcceleratorSpec spec) : spec_(std::move(spec)) {
    const PowerSpec& p = spec_.power;
    const bool has_middle = p.mid_util > 0 && p.mid_util < 1;
    // The lower bound keeps the slope finite.
    curve_.mid_util = has_middle ? std::max(p.mid_util, 1e-100) : 1;
    curve_.idle_w = p.idle_w;
    curve_.mid_w = has_middle ? p.mid_power_w : p.full_w;
    curve_.slope_low_w = (curve_.mid_w - p.idle_w) / curve_.mid_util;
    curve_.slope_high_w = has_middle ? (p.full_w - p.mid_power_w) / (1 - p.mid_util) : 0;
  }

  [[nodiscard]] const std::string& name() const noexcept { return spec_.name; }
  [[nodiscard]] const std::string& type() const noexcept { return spec_.type; }
  [[nodiscard]] std::int64_t multiplicity() const noexcept { return spec_.multiplicity; }
  [[nodiscard]] double cost_cents_per_hour() const noexcept { return spec_.cost_cents_per_hour; }
  [[nodiscard]] double mem_size_gb() const noexcept { return spec_.mem_size_gb; }
  [[nodiscard]] double mem_bw_gb_per_s() const noexcept { return spec_.mem_bw_gb_per_s; }
  [[nodiscard]] const PowerSpec& power() const noexcept { return spec_.power; }
  [[nodiscard]] const AcceleratorSpec& spec() const noexcept { return spec_; }

  // Watts at a utilisation (clamped to 0..1): piecewise linear through (0, idle),
  // (midUtil, midPower), (1, full); through (0, idle), (1, full) when midUtil is not in (0, 1).
  [[nodiscard]] double power_w(double utilization) const noexcept {
    const double u = std::clamp(utilization, 0.0, 1.0);
    if (u > curve_.mid_util) return curve_.mid_w + curve_.slope_high_w * (u - curve_.mid_util);
    return curve_.idle_w + curve_.slope_low_w * u;
  }
  [[nodiscard]] const PowerCurve& power_curve() const noexcept { return curve_; }

  // One line for people.
  [[nodiscard]] std::string to_string() const;

 private:
  AcceleratorSpec spec_;
  PowerCurve curve_;
};

}  // namespace tonnage
