// Shapes of the grid of candidates: which batch sizes and replica counts each line has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

// The grid of the given lines (indices into problem.lines), in their order; lines without
// candidates (data out of range, the empty allocation, no batch size in the range asked for) are
// left out. An idle line has one candidate. A line of more than 65,536 replica counts comes in
// parts of that many, one grid line each, so that memory does not grow with the grid. Throws Error
// (kInvalidInput) for ranges out of order or a grid of more than 2^62 candidates.
[[nodiscard]] std::vector<GridLine> plan_grid(const Problem& problem,
                                              std::span<const std::int64_t> lines,
                                              const GridOptions& options);

}  // namespace tonnage
