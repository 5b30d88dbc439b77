// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Finds the points that may be on a frontier on one or more devices; only these points are copied
// back. Owns: chunk sizes, the passes of counting and writing, and which lines go to the host.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct PointLimits {
  // Lines, rows and threads (one per replica count) of a chunk, and points per copy. All are halved
  // until the memory of the device suffices.
  std::int64_t lines = 16'384;
  std::int64_t rows = 1 << 20;
  std::int64_t threads = 1 << 20;
  std::int64_t points = 1 << 18;
};

// Evaluator::points() for average TTFT, with the points of the CPU. `host` handles the lines that
// devices leave out. With targets ignored these include lines with a TTFT target on a percentile,
// whose verdicts need more than one pass over the batch sizes. Throws Error (kUnavailable) if a
// device fails or its memory does not suffice for one line; exceptions of the consumer are passed
// on.
void points_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                       const Problem& problem, std::span<const GridLine> grid,
                       const GridOptions& options, const PointOptions& wanted,
                       const PointConsumer& consumer, const PointLimits& limits = {});

}  // namespace tonnage::cuda
