// What may be on a frontier, found on one or more devices: of a chunk of grid lines only the points
// that are kept come back. Owns: chunk sizes, the passes of counting and writing, and which lines
// the host looks at instead.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct PointLimits {
  // Lines of a chunk, its rows, its threads (one a replica count), and the points that come back at
  // a time. All are halved until the memory of the device suffices.
  std::int64_t lines = 16'384;
  std::int64_t rows = 1 << 20;
  std::int64_t threads = 1 << 20;
  std::int64_t points = 1 << 18;
};

// Evaluator::points() of average TTFT with the points of the CPU. Lines that devices leave out are
// looked at by `host`: of those whose targets are ignored also the ones with a TTFT target on a
// percentile, as the verdicts on them take more than a pass over the batch sizes. Throws Error
// (kUnavailable) when a device fails or its memory does not suffice for a single line; an exception
// of the consumer is passed on.
void points_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                       const Problem& problem, std::span<const GridLine> grid,
                       const GridOptions& options, const PointOptions& wanted,
                       const PointConsumer& consumer, const PointLimits& limits = {});

}  // namespace tonnage::cuda
