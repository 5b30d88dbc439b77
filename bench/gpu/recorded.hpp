// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Records of what a backend hands over about a grid, for bitwise comparison. Owns: the check that
// blocks and points are complete and in order.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tonnage/core/pareto.hpp"

namespace tonnage::check {

// Every column and the verdicts of all candidates, each at its offset in the grid.
class RecordedTable {
 public:
  explicit RecordedTable(std::span<const GridLine> grid);

  // Records blocks from any thread; a block that does not continue its line is an error.
  [[nodiscard]] GridConsumer consumer();
  // The first thing that is missing, out of order or different from `want`; empty if nothing is.
  [[nodiscard]] std::string difference(const RecordedTable& want) const;
  [[nodiscard]] std::int64_t count(Verdict verdict) const;

 private:
  void take(const GridBlock& block);

  std::span<const GridLine> grid_;
  std::array<std::vector<double>, kNumGridColumns> columns_;
  std::vector<Verdict> verdicts_;
  std::vector<std::int64_t> rows_;  // [lines] rows taken
  std::vector<char> faults_;        // [lines] some block was no continuation of the line
};

// The points of all lines, sorted within a line by replica count and batch size.
class RecordedPoints {
 public:
  explicit RecordedPoints(std::size_t lines) : lines_(lines), times_(lines, 0) {}

  [[nodiscard]] PointConsumer consumer();
  // The first line that was not reported exactly once, or whose points differ from those of `want`;
  // empty if there is none.
  [[nodiscard]] std::string difference(const RecordedPoints& want) const;
  [[nodiscard]] std::int64_t count() const;

 private:
  std::vector<std::vector<ParetoPoint>> lines_;
  std::vector<int> times_;
};

}  // namespace tonnage::check
