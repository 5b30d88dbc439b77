#include "tonnage/core/evaluator.hpp"

namespace tonnage {

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
  GridOptions silent = options;
  silent.progress = {};
  evaluator.table(problem, lines, silent, [&](const GridBlock& block) {
    const RestOfLine& r = rest[block.ordinal];
    GridBlock own = block;
    own.line = &grid[r.ordinal];
    own.ordinal = r.ordinal;
    own.first += r.first;
    consumer(own);
  });
}

}  // namespace tonnage
