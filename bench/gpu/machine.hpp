// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The parts of the check that need the CUDA runtime. Owns: the measured ceilings of the roofline,
// and the range of the profiler.
#pragma once

#include <vector>

#include "bench/gpu/groups/bench.hpp"

namespace tonnage::check {

// Rates of float64 and float32 fused multiply-adds, and of copies on the device, to it and to the
// host, on the device of the calling thread.
[[nodiscard]] std::vector<Ceiling> machine_ceilings();

// Starts or stops collection by a profiler that waits for it (ncu --profile-from-start off).
void profiler_range(bool begins);

}  // namespace tonnage::check
