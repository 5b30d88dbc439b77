// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel bodies that find the points of frontiers, one thread per replica count of a line. Only the
// points that ColumnThinner keeps are written. A first pass counts them; prefix sums of the counts
// then tell every thread where its points begin.
#pragma once

#include <cstdint>

#include "cuda/src/grid/table_kernels.hpp"
#include "tonnage/core/pareto.hpp"

namespace tonnage::cuda {

// Calls emit(point) for every point that the column keeps.
template <bool kHasRoom, bool kStepped, class Emit>
TONNAGE_KERNEL_BODY void thin_column(const TableChunk& chunk, const TableColumn& column,
                                     bool ignore_targets, const Emit& emit) {
  ColumnThinner thinner;
  const auto replicas = static_cast<std::int64_t>(column.replicas);
  const ServerRow& server = column.piece.server;
  (void)column.run<kHasRoom, kStepped>(
      chunk, [&](std::int64_t row, const TableState<double>& state, const auto& point) {
        // Candidates that cannot qualify need no metrics.
        const std::int64_t need = chunk.needs[column.piece.first_row + row];
        if (!ignore_targets && (need <= 0 || replicas < need)) return;
        if (replicas < server.min_replicas) return;
        if (server.max_replicas > 0 && replicas > server.max_replicas) return;
        const TablePoint<double> p = point();
        ParetoPoint offered;
        offered.line = column.piece.line;
        offered.batch = column.batch(row);
        offered.replicas = replicas;
        offered.cost = column.replicas * column.line.cost_per_replica;
        offered.ttft_ms = p.ttft_ms;
        offered.itl_ms = p.itl_ms;
        offered.rho = p.rho;
        offered.drop_probability = p.drop;
        offered.verdict = ignore_targets ? column.judge(chunk, row, state, p) : Verdict::kFeasible;
        thinner.offer(offered, emit);
      });
  thinner.finish(emit);
}

struct PointChunk {
  TableChunk table;  // its columns and verdicts are not used
  bool ignore_targets;
  std::int64_t* counts;       // [threads + 1] points of each thread; the last entry stays 0
  const std::int64_t* begin;  // [threads + 1] sums of the counts before
  // The window of points that this pass writes, the first of them to points[0].
  std::int64_t window, window_end;
  ParetoPoint* points;
};

template <bool kHasRoom, bool kStepped>
struct CountPoints {
  static constexpr int kThreadsPerItem = 1;
  PointChunk chunk;
  std::int64_t first_thread;  // of item 0: each form has pieces of its own

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const std::int64_t thread = first_thread + item;
    const TableColumn column(chunk.table, thread);
    std::int64_t count = 0;
    thin_column<kHasRoom, kStepped>(chunk.table, column, chunk.ignore_targets,
                                    [&](const ParetoPoint&) { ++count; });
    chunk.counts[thread] = count;
  }
};

// Lines with rows for the host have no points on the device.
struct DropPoints {
  static constexpr int kThreadsPerItem = 1;
  PointChunk chunk;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t thread) const {
    const std::int64_t at = chunk.table.piece_of(&TablePiece::first_thread, thread);
    if (chunk.table.num_alone[at] > 0) chunk.counts[thread] = 0;
  }
};

template <bool kHasRoom, bool kStepped>
struct WritePoints {
  static constexpr int kThreadsPerItem = 1;
  PointChunk chunk;
  std::int64_t first_thread;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const std::int64_t thread = first_thread + item;
    std::int64_t at = chunk.begin[thread];
    const std::int64_t end = chunk.begin[thread + 1];
    if (at == end || end <= chunk.window || at >= chunk.window_end) return;
    thin_column<kHasRoom, kStepped>(chunk.table, TableColumn(chunk.table, thread),
                                    chunk.ignore_targets, [&](const ParetoPoint& point) {
                                      if (at >= chunk.window && at < chunk.window_end)
                                        chunk.points[at - chunk.window] = point;
                                      ++at;
                                    });
  }
};

}  // namespace tonnage::cuda
