#include "tonnage/core/accelerator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tonnage {

Accelerator::Accelerator(AcceleratorSpec spec) : spec_(std::move(spec)) {
  const PowerSpec& p = spec_.power;
  if (p.mid_util > 0 && p.mid_util < 1) {
    slope_low_w_ = (p.mid_power_w - p.idle_w) / p.mid_util;
    slope_high_w_ = (p.full_w - p.mid_power_w) / (1 - p.mid_util);
  } else {
    slope_low_w_ = slope_high_w_ = p.full_w - p.idle_w;
  }
}

double Accelerator::power_w(double utilization) const noexcept {
  const PowerSpec& p = spec_.power;
  const double u = std::clamp(utilization, 0.0, 1.0);
  if (p.mid_util > 0 && p.mid_util < 1 && u > p.mid_util) {
    return p.mid_power_w + slope_high_w_ * (u - p.mid_util);
  }
  return p.idle_w + slope_low_w_ * u;
}

std::string Accelerator::to_string() const {
  return fmt::format(
      "accelerator {}: {} x {}, {} GB at {} GB/s, {} cents/hour, {} W idle, {} W full", spec_.name,
      spec_.multiplicity, spec_.type, spec_.mem_size_gb, spec_.mem_bw_gb_per_s,
      spec_.cost_cents_per_hour, spec_.power.idle_w, spec_.power.full_w);
}

}  // namespace tonnage
