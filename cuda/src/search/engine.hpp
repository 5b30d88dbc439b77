// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The search of a whole problem on one or more devices: two chunks of lines in flight per device,
// taken as devices become free. Owns: chunk sizes and the response to scarce memory. Knows devices
// only by their interface.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct EngineLimits {
  // Lines of a chunk, and entries of the sweep over batch sizes (4 bytes each). Both are halved
  // until the memory of the device suffices.
  std::int64_t lines = 262'144;
  std::int64_t entries = 128 << 20;
};

// Answers every line of the problem as the CPU does. `host` answers the lines that devices leave
// out, on the calling thread. Throws Error (kUnavailable) if a device fails or its memory does not
// suffice for one line.
[[nodiscard]] SearchResult search_on_devices(const std::vector<std::unique_ptr<Device>>& devices,
                                             const Evaluator& host, const Problem& problem,
                                             const SearchOptions& options,
                                             const EngineLimits& limits = {});

}  // namespace tonnage::cuda
