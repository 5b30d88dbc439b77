// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The fields of a candidate in grid files. Owns: their list, which CSV and NumPy writers share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

enum class GridFieldKind { kBatch, kReplicas, kVerdict, kCards, kColumn };

struct GridField {
  std::string_view name;
  GridFieldKind kind;
  GridColumn column;  // of kColumn
  std::string_view description;
};

// All fields that are arrays, in file order.
[[nodiscard]] std::span<const GridField> grid_fields();
// The fields of the given names.
[[nodiscard]] std::vector<GridField> chosen_grid_fields(const std::vector<std::string>& names);

[[nodiscard]] inline std::int64_t cards_per_replica(const Problem& problem, const GridLine& line) {
  return problem.perfs[problem.lines[line.line].perf].cards_per_replica;
}

}  // namespace tonnage
