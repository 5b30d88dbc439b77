// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Shapes of the grid of candidates: which batch sizes and replica counts each line has. Owns:
// plan_grid(); the types are in tonnage/core/grid.hpp.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   #include "tonnage/host/backends.hpp"
//   const tonnage::Problem problem = tonnage::build_problem(tonnage::System());
//   std::vector<std::int64_t> lines(problem.lines.size());
//   for (std::size_t i = 0; i < lines.size(); ++i) lines[i] = static_cast<std::int64_t>(i);
//   tonnage::GridOptions options;
//   options.replicas = {1, 16, 1};  // 1 to 16 replicas of every batch size
//   const std::vector<tonnage::GridLine> grid = tonnage::plan_grid(problem, lines, options);
//   tonnage::select_backend("cpu")->table(problem, grid, options, [](const tonnage::GridBlock& b) {
//     std::printf("%zu candidates\n", b.verdicts.size());
//   });
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

// The grid of the given lines (indices into problem.lines), in their order. Lines without
// candidates (data out of range, the empty allocation, no batch size in the given range) are left
// out. An idle line has one candidate. A line of more than 65,536 replica counts is cut into parts
// of that many, one grid line each, so that memory does not grow with the grid. Throws Error
// (kInvalidInput) for ranges out of order or a grid of more than 2^62 candidates.
[[nodiscard]] std::vector<GridLine> plan_grid(const Problem& problem,
                                              std::span<const std::int64_t> lines,
                                              const GridOptions& options);

}  // namespace tonnage
