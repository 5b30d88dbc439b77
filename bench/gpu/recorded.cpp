// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Records blocks and points from any thread, and reports the first difference between two records.
#include "bench/gpu/recorded.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <tuple>

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

// Blocks of different lines come concurrently, but write to different places.
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

PointConsumer RecordedPoints::consumer() {
  return [this](std::int64_t ordinal, std::span<const ParetoPoint> points) {
    std::vector<ParetoPoint>& line = lines_[ordinal];
    line.assign(points.begin(), points.end());
    std::sort(line.begin(), line.end(), [](const ParetoPoint& a, const ParetoPoint& b) {
      return std::tie(a.replicas, a.batch) < std::tie(b.replicas, b.batch);
    });
    ++times_[ordinal];
  };
}

std::string RecordedPoints::difference(const RecordedPoints& want) const {
  const auto same = [](const ParetoPoint& a, const ParetoPoint& b) {
    const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
    return a.line == b.line && a.batch == b.batch && a.replicas == b.replicas &&
           a.verdict == b.verdict && bits(a.cost) == bits(b.cost) &&
           bits(a.ttft_ms) == bits(b.ttft_ms) && bits(a.itl_ms) == bits(b.itl_ms) &&
           bits(a.rho) == bits(b.rho) && bits(a.drop_probability) == bits(b.drop_probability);
  };
  for (std::size_t k = 0; k < lines_.size(); ++k) {
    const auto &got = lines_[k], &wanted = want.lines_[k];
    char text[200] = "";
    if (times_[k] != 1) {
      std::snprintf(text, sizeof text, "line %zu came %d times", k, times_[k]);
    } else if (got.size() != wanted.size()) {
      std::snprintf(text, sizeof text, "line %zu has %zu points; wanted %zu", k, got.size(),
                    wanted.size());
    }
    for (std::size_t i = 0; i < wanted.size() && *text == 0; ++i) {
      if (same(got[i], wanted[i])) continue;
      std::snprintf(text, sizeof text, "line %zu, point %zu: batch %lld; wanted batch %lld", k, i,
                    static_cast<long long>(got[i].batch), static_cast<long long>(wanted[i].batch));
    }
    if (*text != 0) return text;
  }
  return {};
}

std::int64_t RecordedPoints::count() const {
  std::int64_t sum = 0;
  for (const auto& line : lines_) sum += std::ssize(line);
  return sum;
}

}  // namespace tonnage::check
