// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The limits of the file in whole units. Owns: verification's own reading of how many units a limit
// offers and how many an allocation takes.
//
// Plans are selected by whole units, so that a bound by prices counts them, too. An amount takes
// its units rounded up, a limit offers its own rounded down: whoever keeps to the units keeps to
// the limit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tonnage/core/spec.hpp"

namespace tonnage::verify {

// What an allocation takes of what limits share out.
struct Amounts {
  double cost = 0;     // cents/hour
  double power_w = 0;  // of the accelerators
  bool changed = false;
};

struct LimitUnits {
  std::string name;          // as in files
  double unit = 1;           // cents/hour, watts of the site, servers
  std::int64_t offered = 0;  // units
};

// Of the limits that the file sets.
[[nodiscard]] std::vector<LimitUnits> limit_units(const OptimizerSpec& optimizer);

// Units of each of these limits that an allocation takes.
[[nodiscard]] std::vector<std::int64_t> units_taken(const OptimizerSpec& optimizer,
                                                    const std::vector<LimitUnits>& limits,
                                                    const Amounts& amounts);

}  // namespace tonnage::verify
