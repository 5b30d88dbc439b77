// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Ceilings of this machine, measured beside the benchmarks that are compared with them. Owns: the
// peak rate of arithmetic.
#pragma once

#include "tonnage/host/line_sizing.hpp"

namespace tonnage::bench {

// Peak rate of independent fused multiply-adds of doubles per second, by one thread in registers of
// the instruction set. Each call measures anew (milliseconds). 0 for the baseline, whose fused
// operations are library calls. Processors that add beside their multipliers can exceed this rate.
[[nodiscard]] double peak_operations_per_second(InstructionSet isa);

}  // namespace tonnage::bench
