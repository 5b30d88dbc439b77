// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The grid of candidates as a table: which (batch size, replica count) pairs each line has, and the
// columns computed for each. Owns: the shapes of grids and the verdict of a candidate.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tonnage/core/progress.hpp"

namespace tonnage {

// The counts first, first + step, ... up to last; 0 stands for the default of an end.
struct GridRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;
};

// Most replica counts of a line without an explicit last one.
inline constexpr std::int64_t kDefaultReplicaCounts = 256;

struct GridOptions {
  GridRange batches;         // default: 1 to the line's ceiling
  GridRange replicas;        // default: from the server's minimum, at least 1, to what the least
                             // batch size needs, at most kDefaultReplicaCounts of them
  bool percentiles = false;  // also the columns from kTtftP50 on: far slower
  int num_threads = 0;       // 0: one per processor
  // Bytes of columns that the threads hold together, at least one row each.
  std::int64_t memory_limit = std::int64_t{1} << 28;
  ProgressCallback progress;
};

enum class GridColumn {
  kCost,      // cents/hour, all replicas
  kGoodput,   // requests/min that all replicas together answer
  kDrop,      // drop probability
  kItl,       // ms
  kTtft,      // ms
  kWait,      // ms
  kPrefill,   // ms
  kResponse,  // ms, wait and service
  kRho,       // mean share of the batch in use
  kPower,     // W, all replicas
  kTtftP50,   // ms
  kTtftP90,
  kTtftP95,
  kTtftP99,
};
inline constexpr int kNumGridColumns = static_cast<int>(GridColumn::kTtftP99) + 1;
inline constexpr int kNumPlainGridColumns = static_cast<int>(GridColumn::kTtftP50);
// Probabilities of the columns of percentiles, in order.
inline constexpr int kNumTtftLevels = kNumGridColumns - kNumPlainGridColumns;
struct TtftLevels {
  double probability[kNumTtftLevels];
};
inline constexpr TtftLevels kTtftLevels = {{0.50, 0.90, 0.95, 0.99}};

// Whether a candidate is feasible, or the target that it misses by the largest factor at this load.
enum class Verdict : std::uint8_t {
  kFeasible,
  kItlTarget,
  kTtftTarget,
  kE2eTarget,
  kDropTarget,
  kOverload,         // every target holds, but the load is above the sustainable rate
  kGoodput,          // every target holds at this load, but drops leave too little goodput
  kMinReplicas,      // fewer than minNumReplicas
  kTooManyReplicas,  // more than maxNumReplicas
};
[[nodiscard]] std::string_view to_string(Verdict verdict);  // "feasible", "itl", ...

// The candidates of one line, or of a part of its replica counts: batch sizes times replica counts.
struct GridLine {
  std::int64_t line;  // index into Problem::lines
  std::int64_t first_batch, batch_step, num_batches;
  std::int64_t first_replicas, replica_step, num_replicas;
  std::int64_t offset;  // candidates of the lines before

  [[nodiscard]] std::int64_t num_candidates() const noexcept { return num_batches * num_replicas; }
  [[nodiscard]] std::int64_t batch(std::int64_t i) const noexcept {
    return first_batch + i * batch_step;
  }
  [[nodiscard]] std::int64_t replicas(std::int64_t i) const noexcept {
    return first_replicas + i * replica_step;
  }
};

// Some consecutive batch sizes of a line with all its replica counts, the latter fastest:
// candidate (i, j) is at [i * num_replicas + j].
struct GridBlock {
  const GridLine* line;
  std::int64_t ordinal;  // of the line in the grid
  std::int64_t first;    // index of its first batch size in the line
  std::int64_t num_batches;
  std::array<std::span<const double>, kNumGridColumns> columns;  // empty if not requested
  std::span<const Verdict> verdicts;

  [[nodiscard]] std::span<const double> operator[](GridColumn c) const {
    return columns[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] std::int64_t offset() const { return line->offset + first * line->num_replicas; }
  [[nodiscard]] bool ends_line() const { return first + num_batches == line->num_batches; }
};

// Takes the blocks of the grid. Calls come from several threads; the blocks of one line come in
// order and one at a time.
using GridConsumer = std::function<void(const GridBlock& block)>;

}  // namespace tonnage
