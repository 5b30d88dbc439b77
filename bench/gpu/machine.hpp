// What of the check needs the CUDA runtime itself. Owns: the ceilings of the roofline, measured,
// and the profiler's range.
#pragma once

#include <vector>

#include "bench/gpu/groups/bench.hpp"

namespace tonnage::check {

// Float64 and float32 fused multiply-adds, and copies on the device, to it and to the host, on the
// calling thread's device.
[[nodiscard]] std::vector<Ceiling> machine_ceilings();

// Starts or stops what a profiler that waits for it collects (ncu --profile-from-start off).
void profiler_range(bool begins);

}  // namespace tonnage::check
