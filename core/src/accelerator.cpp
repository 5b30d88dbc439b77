#include "tonnage/core/accelerator.hpp"

#include <fmt/format.h>

#include <utility>

namespace tonnage {

Accelerator::Accelerator(AcceleratorSpec spec) : spec_(std::move(spec)) {
  const PowerSpec& p = spec_.power;
  const bool has_middle = p.mid_util > 0 && p.mid_util < 1;
  curve_.mid_util = has_middle ? p.mid_util : 1;
  curve_.idle_w = p.idle_w;
  curve_.mid_w = has_middle ? p.mid_power_w : p.full_w;
  curve_.slope_low_w = (curve_.mid_w - p.idle_w) / curve_.mid_util;
  curve_.slope_high_w = has_middle ? (p.full_w - p.mid_power_w) / (1 - p.mid_util) : 0;
}

std::string Accelerator::to_string() const {
  return fmt::format(
      "accelerator {}: {} x {}, {} GB at {} GB/s, {} cents/hour, {} W idle, {} W full", spec_.name,
      spec_.multiplicity, spec_.type, spec_.mem_size_gb, spec_.mem_bw_gb_per_s,
      spec_.cost_cents_per_hour, spec_.power.idle_w, spec_.power.full_w);
}

}  // namespace tonnage
