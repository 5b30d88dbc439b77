// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What every Evaluator can do through its table of candidates: the points of frontiers, and the
// work that a backend leaves to another one. Backends override points() where they are faster.
#include "tonnage/core/evaluator.hpp"

#include <memory>

namespace tonnage {

void Evaluator::points(const Problem& problem, std::span<const GridLine> grid,
                       const GridOptions& options, const PointOptions& wanted,
                       const PointConsumer& consumer) const {
  struct Line {
    std::vector<ColumnThinner> columns;
    std::vector<ParetoPoint> points;
  };
  std::vector<std::unique_ptr<Line>> lines(grid.size());
  table(problem, grid, options, [&](const GridBlock& block) {
    std::unique_ptr<Line>& line = lines[block.ordinal];
    const GridLine& g = *block.line;
    if (!line) {
      line = std::make_unique<Line>();
      line->columns.resize(static_cast<std::size_t>(g.num_replicas));
    }
    const auto keep = [&](const ParetoPoint& point) { line->points.push_back(point); };
    std::size_t i = 0;
    for (std::int64_t b = block.first; b < block.first + block.num_batches; ++b) {
      for (std::int64_t r = 0; r < g.num_replicas; ++r, ++i) {
        if (!qualifies(block.verdicts[i], wanted.ignore_targets)) continue;
        line->columns[r].offer(
            {g.line, g.batch(b), g.replicas(r), block[GridColumn::kCost][i], block[wanted.ttft][i],
             block[GridColumn::kItl][i], block[GridColumn::kRho][i], block[GridColumn::kDrop][i],
             block.verdicts[i]},
            keep);
      }
    }
    if (!block.ends_line()) return;
    for (ColumnThinner& column : line->columns) column.finish(keep);
    consumer(block.ordinal, line->points);
    line.reset();
  });
}

void fill_rest(const Evaluator& evaluator, const Problem& problem, std::span<const GridLine> grid,
               std::span<const RestOfLine> rest, const GridOptions& options,
               const GridConsumer& consumer) {
  if (rest.empty()) return;
  std::vector<GridLine> lines;
  for (const RestOfLine& r : rest) {
    GridLine line = grid[r.ordinal];
    line.first_batch = line.batch(r.first);
    line.num_batches -= r.first;
    lines.push_back(line);
  }
  evaluator.table(problem, lines, options, [&](const GridBlock& block) {
    const RestOfLine& r = rest[block.ordinal];
    GridBlock own = block;
    own.line = &grid[r.ordinal];
    own.ordinal = r.ordinal;
    own.first += r.first;
    consumer(own);
  });
}

void find_points(const Evaluator& evaluator, const Problem& problem, std::span<const GridLine> grid,
                 std::span<const std::int64_t> ordinals, const GridOptions& options,
                 const PointOptions& wanted, const PointConsumer& consumer) {
  if (ordinals.empty()) return;
  std::vector<GridLine> lines;
  for (const std::int64_t k : ordinals) lines.push_back(grid[k]);
  evaluator.points(
      problem, lines, options, wanted,
      [&](std::int64_t i, std::span<const ParetoPoint> points) { consumer(ordinals[i], points); });
}

}  // namespace tonnage
