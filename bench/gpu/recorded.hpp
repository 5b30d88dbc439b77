// What backends hand over about a grid, kept whole to be compared bit for bit.
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

  // Takes blocks from any thread; what does not continue its line is a fault.
  [[nodiscard]] GridConsumer consumer();
  // What is missing, out of order or different from `want`, first come; empty when nothing is.
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

// The points of all lines, those of each by replica count and batch size.
class RecordedPoints {
 public:
  explicit RecordedPoints(std::size_t lines) : lines_(lines), times_(lines, 0) {}

  [[nodiscard]] PointConsumer consumer();
  // The first line that did not come exactly once, or whose points differ from those of `want`;
  // empty when there is none.
  [[nodiscard]] std::string difference(const RecordedPoints& want) const;
  [[nodiscard]] std::int64_t count() const;

 private:
  std::vector<std::vector<ParetoPoint>> lines_;
  std::vector<int> times_;
};

}  // namespace tonnage::check
