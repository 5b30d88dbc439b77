// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Describes an accelerator in one line. Its power curve is inline in tonnage/core/accelerator.hpp.
#include "tonnage/core/accelerator.hpp"

#include <fmt/format.h>

#include "tonnage/core/printable.hpp"

namespace tonnage {

std::string Accelerator::to_string() const {
  return printable(fmt::format(
      "accelerator {}: {} x {}, {} GB at {} GB/s, {} cents/hour, {} W idle, {} W full", spec_.name,
      spec_.multiplicity, spec_.type, spec_.mem_size_gb, spec_.mem_bw_gb_per_s,
      spec_.cost_cents_per_hour, spec_.power.idle_w, spec_.power.full_w));
}

}  // namespace tonnage
