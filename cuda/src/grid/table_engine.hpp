// The table of candidates on one or more devices: grid lines in chunks, two chunks in flight on
// each device, their rows handed to the consumer from pinned memory. Owns: chunk sizes, what
// happens when memory does not suffice, and which rows the host evaluates instead.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct TableLimits {
  // Pieces and candidates of a chunk, the latter also bounded by GridOptions::memory_limit. Both
  // are halved until the memory of the device suffices.
  std::int64_t pieces = 65'536;
  std::int64_t candidates = 4 << 20;
};

// Hands every candidate of the grid to the consumer with the numbers of the CPU. Lines that devices
// leave out are filled by `host`. Throws Error (kUnavailable) when a device fails or its memory
// does not suffice for a single row; an exception of the consumer is passed on.
void table_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                      const Problem& problem, std::span<const GridLine> grid,
                      const GridOptions& options, const GridConsumer& consumer,
                      const TableLimits& limits = {});

}  // namespace tonnage::cuda
