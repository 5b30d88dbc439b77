// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Units of limits: how large a unit is, how many there are, how many an allocation takes.
#include "host/verify/limits.hpp"

#include <algorithm>
#include <cmath>

namespace tonnage::verify {
namespace {

// Quotients of costs and watts lie this share of themselves off the true ones at most.
constexpr double kRounding = 0x1p-50;
// More units than any limit offers.
constexpr double kTooMany = 2e12;

// A unit is a millionth of a cent or watt. A limit below 1,000 has the power of ten that makes it
// from a billion to ten billion units, one above a million the power of ten that makes it at most a
// trillion.
double unit_of(double limit) {
  constexpr double kUsual = 1e-6, kFinest = 1e-300;
  if (!(limit > 0)) return kUsual;
  if (limit < 1000) {
    return std::max(kFinest, std::pow(10.0, std::floor(std::log10(limit / 1e9))));
  }
  return std::max(kUsual, std::pow(10.0, std::ceil(std::log10(limit / 1e12))));
}

LimitUnits in_units(const char* name, double limit) {
  const double unit = unit_of(limit);
  return {name, unit, static_cast<std::int64_t>(std::floor(limit / unit * (1 + kRounding)))};
}

// What is more than 0 takes at least one, so that a limit of 0 holds.
std::int64_t units(double amount, double unit) {
  return static_cast<std::int64_t>(std::ceil(std::min(kTooMany, amount / unit * (1 - kRounding))));
}

}  // namespace

std::vector<LimitUnits> limit_units(const OptimizerSpec& optimizer) {
  std::vector<LimitUnits> limits;
  if (optimizer.max_cost_cents_per_hour) {
    limits.push_back(in_units("maxCost", *optimizer.max_cost_cents_per_hour));
  }
  if (optimizer.max_power_w) limits.push_back(in_units("maxPower", *optimizer.max_power_w));
  if (optimizer.max_changes) limits.push_back({"maxChanges", 1, *optimizer.max_changes});
  return limits;
}

std::vector<std::int64_t> units_taken(const OptimizerSpec& optimizer,
                                      const std::vector<LimitUnits>& limits,
                                      const Amounts& amounts) {
  std::vector<std::int64_t> taken;
  for (const LimitUnits& limit : limits) {
    if (limit.name == "maxCost") {
      taken.push_back(units(amounts.cost, limit.unit));
    } else if (limit.name == "maxPower") {
      taken.push_back(units(amounts.power_w * optimizer.pue, limit.unit));
    } else {
      taken.push_back(amounts.changed ? 1 : 0);
    }
  }
  return taken;
}

}  // namespace tonnage::verify
