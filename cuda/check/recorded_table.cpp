#include "recorded_table.hpp"

#include <algorithm>
#include <bit>

namespace tonnage::check {

RecordedTable::RecordedTable(std::span<const GridLine> grid)
    : grid_(grid), rows_(grid.size(), 0), faults_(grid.size(), 0) {
  const std::int64_t candidates =
      grid.empty() ? 0 : grid.back().offset + grid.back().num_candidates();
  for (auto& column : columns_) column.assign(static_cast<std::size_t>(candidates), 0.0);
  verdicts_.resize(static_cast<std::size_t>(candidates));
}

GridConsumer RecordedTable::consumer() {
  return [this](const GridBlock& block) { take(block); };
}

// Blocks of different lines come at once, but reach different places.
void RecordedTable::take(const GridBlock& block) {
  const std::int64_t k = block.ordinal;
  const std::int64_t rows = rows_[k];
  rows_[k] += block.num_batches;
  const std::int64_t candidates = block.num_batches * grid_[k].num_replicas;
  if (block.line != &grid_[k] || block.first != rows || rows_[k] > grid_[k].num_batches ||
      std::ssize(block.verdicts) != candidates) {
    faults_[k] = 1;
    return;
  }
  for (int c = 0; c < kNumGridColumns; ++c) {
    const auto& from = block.columns[c];
    std::copy(from.begin(), from.end(), columns_[c].begin() + block.offset());
  }
  std::copy(block.verdicts.begin(), block.verdicts.end(), verdicts_.begin() + block.offset());
}

std::string RecordedTable::difference(const RecordedTable& want) const {
  for (std::size_t k = 0; k < grid_.size(); ++k) {
    const GridLine& g = grid_[k];
    if (faults_[k] != 0 || rows_[k] != g.num_batches) {
      return "line " + std::to_string(g.line) + ": " + std::to_string(rows_[k]) + " of " +
             std::to_string(g.num_batches) + " rows" +
             (faults_[k] != 0 ? ", some out of order" : "");
    }
    for (std::int64_t i = 0; i < g.num_candidates(); ++i) {
      const std::int64_t at = g.offset + i;
      const auto where = [&] {
        return "line " + std::to_string(g.line) + ", batch " +
               std::to_string(g.batch(i / g.num_replicas)) + ", replicas " +
               std::to_string(g.replicas(i % g.num_replicas));
      };
      for (int c = 0; c < kNumGridColumns; ++c) {
        const double a = columns_[c][at], b = want.columns_[c][at];
        if (std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b)) continue;
        char text[120];
        std::snprintf(text, sizeof text, ", column %d: %.17g; wanted %.17g", c, a, b);
        return where() + text;
      }
      if (verdicts_[at] != want.verdicts_[at]) {
        return where() + ": verdict " + std::string(to_string(verdicts_[at])) + "; wanted " +
               std::string(to_string(want.verdicts_[at]));
      }
    }
  }
  return {};
}

std::int64_t RecordedTable::count(Verdict verdict) const {
  return std::count(verdicts_.begin(), verdicts_.end(), verdict);
}

}  // namespace tonnage::check
