// What this machine can do at most, measured beside the benchmarks that are held against it.
#pragma once

#include "tonnage/host/line_sizing.hpp"

namespace tonnage::bench {

// Fused multiply-adds of doubles a second by one thread, independent of one another, in registers
// of the instruction set; measured anew by each call (milliseconds). 0 for the baseline, whose
// fused operations are library calls. Processors that add beside their multipliers can do more
// operations than this.
[[nodiscard]] double peak_operations_per_second(InstructionSet isa);

}  // namespace tonnage::bench
