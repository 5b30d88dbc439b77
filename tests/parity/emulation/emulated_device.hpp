// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A device of the CUDA engines on the host: kernel bodies run over the same grid of blocks and
// threads, a warp as 32 values per step, blocks in random order. A stream runs its work as late as
// it may: in wait() or its destructor. Memory is the host's, between guard bytes or under the
// address sanitizer, and can be made to fail.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cuda/src/base/device.hpp"

namespace tonnage::test {

struct EmulationOptions {
  std::uint64_t seed = 1;         // order of blocks, and what fresh memory holds
  std::int64_t fail_from = 0;     // the allocation (1, 2, ...) that fails first; 0: none
  std::int64_t fail_count = 1;    // how many fail from there on
  std::int64_t memory_bytes = 0;  // device memory in all; 0: no bound
  std::int64_t fail_launch = 0;   // the launch (1, 2, ...) after which the device is lost; 0: none
  std::int64_t bad_download = 0;  // the copy to the host (1, 2, ...) that arrives altered; 0: none
  std::int64_t bad_alloc_at = 0;  // the allocation at which the host has no memory left; 0: none
  std::function<void(std::int64_t launch)> on_launch{};  // called at each, by its thread
};

// The record of an emulated device; outlives the device.
struct EmulationLog {
  std::int64_t allocations = 0;
  std::int64_t failed_allocations = 0;
  std::int64_t bytes_in_use = 0;  // device memory
  std::int64_t most_bytes = 0;
  std::int64_t pinned_in_use = 0;
  std::int64_t launches = 0;
  std::int64_t downloads = 0;
  std::int64_t streams = 0;
  // The first misuse of memory: a copy from or to a block that is freed, too short or of the wrong
  // kind, or bytes written outside a block. Empty if there was none.
  std::string fault;
};

[[nodiscard]] std::unique_ptr<cuda::Device> make_emulated_device(const EmulationOptions& options,
                                                                 EmulationLog& log);

}  // namespace tonnage::test
