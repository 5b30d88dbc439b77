// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of candidates on one or more devices: two chunks of grid lines in flight per device,
// rows handed to the consumer from pinned memory. Owns: chunk sizes, the response to scarce memory,
// and which rows the host evaluates.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct TableLimits {
  // Pieces and candidates of a chunk; GridOptions::memory_limit also bounds the candidates. Both
  // are halved until the memory of the device suffices.
  std::int64_t pieces = 65'536;
  std::int64_t candidates = 4 << 20;
};

// Hands every candidate of the grid to the consumer with the numbers of the CPU. `host` fills the
// lines that devices leave out. Throws Error (kUnavailable) if a device fails or its memory does
// not suffice for one row; exceptions of the consumer are passed on.
void table_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                      const Problem& problem, std::span<const GridLine> grid,
                      const GridOptions& options, const GridConsumer& consumer,
                      const TableLimits& limits = {});

}  // namespace tonnage::cuda
