// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel bodies of the table of candidates. One thread per replica count of a line runs through the
// batch sizes and writes its element of every row, next to those of neighbouring threads.
// Percentiles are a second pass, one thread per candidate. Owns: the rows of a chunk of the table
// on the device.
#pragma once

#include <cstdint>

#include "cuda/src/search/line_kernels.hpp"
#include "tonnage/core/table_kernel.hpp"
#include "tonnage/core/verdict.hpp"

namespace tonnage::cuda {

// Consecutive batch sizes of a grid line with all replica counts.
struct TablePiece {
  ServerRow server;
  PerfRow perf;
  PowerCurve power;   // of the accelerator
  std::int64_t line;  // index into Problem::lines
  std::int64_t first_batch, batch_step, num_rows;
  std::int64_t last_batch;  // of the whole line
  std::int64_t first_replicas, replica_step, num_replicas;
  // Sums over the pieces before this one: threads, rows, candidates, entries of inv_mu.
  std::int64_t first_thread, first_row, first_candidate, first_rate;
};

// Forms of the kernel: with or without a waiting room, with one chunk count or growing ones.
inline constexpr int kTableForms = 4;
inline bool is_stepped_form(int form) { return form >= 2; }
inline int table_form(const ServerRow& server, const PerfRow& perf, std::int64_t last_batch) {
  const QueueShape shape = queue_shape(server, perf, last_batch);
  const bool stepped = chunk_count(shape.service, 1.0) !=
                       chunk_count(shape.service, static_cast<double>(last_batch));
  return 2 * static_cast<int>(stepped) + static_cast<int>(server.max_queue > 0);
}

struct TableChunk {
  const TablePiece* pieces;
  std::int64_t num_pieces;
  const double* reciprocals;  // [n] = 1/n up to the largest batch size; entry 0 unused
  // For pieces whose chunk counts grow: 1/mu(n) up to the last batch size of the line, the first at
  // first_rate. These pieces come last; the first of them is `first_stepped`.
  double* inv_mu;
  std::int64_t first_stepped;
  std::int32_t* needs;      // [rows] replicas that the batch size needs; 0: no number suffices
  std::int32_t* num_alone;  // [pieces] last rows that must be evaluated candidate by candidate
  double* columns;          // column c at columns + c * stride
  std::int64_t stride;
  Verdict* verdicts;
  bool percentiles = false;  // the columns below are there, too

  // inv_mu[n] of a piece whose chunk count grows.
  TONNAGE_KERNEL_BODY double* inv_mu_of(const TablePiece& piece) const {
    return inv_mu + (piece.first_rate - 1);
  }
  // The last piece that begins at or before an item, by one of the sums over pieces.
  TONNAGE_KERNEL_BODY std::int64_t piece_of(std::int64_t TablePiece::*begin,
                                            std::int64_t item) const {
    std::int64_t low = 0, high = num_pieces;
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      if (pieces[middle].*begin <= item) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
};
// Columns behind those of the table, if percentiles are requested: QueueMetrics::wait_weight and
// rate/mu(M), from which percentiles are computed.
inline constexpr int kWaitColumn = kNumGridColumns;
inline constexpr int kLoadColumn = kNumGridColumns + 1;
inline constexpr int kNumDeviceColumns = kNumGridColumns + 2;

TONNAGE_KERNEL_BODY void raise_to(std::int32_t* value, std::int32_t least) {
#if defined(__CUDA_ARCH__)
  atomicMax(value, least);
#else
  if (*value < least) *value = least;
#endif
}

// The tables of 1/mu(n): one thread an entry.
struct FillPieceRates {
  static constexpr int kThreadsPerItem = 1;
  TableChunk chunk;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t entry) const {
    const TablePiece& piece = chunk.pieces[chunk.piece_of(&TablePiece::first_rate, entry)];
    chunk.inv_mu[entry] =
        inverse_mu_at(piece.server, piece.perf, entry - piece.first_rate + 1, chunk.reciprocals);
  }
};

// Replicas that each row needs: one thread a row.
struct SizeTableRows {
  static constexpr int kThreadsPerItem = 1;
  TableChunk chunk;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t row) const {
    const std::int64_t at = chunk.piece_of(&TablePiece::first_row, row);
    const TablePiece& piece = chunk.pieces[at];
    const std::int64_t batch = piece.first_batch + (row - piece.first_row) * piece.batch_step;
    const RateSearch<double> found =
        search_batch(piece.server, piece.perf, batch, chunk.reciprocals, [&]() -> InverseMu {
          if (at >= chunk.first_stepped) return {1.0, 0.0, chunk.inv_mu_of(piece)};
          return uniform_inverse_mu(piece.server, piece.perf, chunk.reciprocals);
        });
    chunk.needs[row] = found.feasible ? static_cast<std::int32_t>(replicas_needed(
                                            piece.server.total_rate_per_ms, found.throughput_per_ms,
                                            piece.server.min_replicas))
                                      : 0;
  }
};

// The target missed at the low end of the rate range. Out of line, since few candidates need it.
TONNAGE_KERNEL_CALL Reason reason_at_low_end(const ServerRow& server, const PerfRow& perf,
                                             std::int64_t batch) {
  return finish_line_on_averages(server, perf, batch, RateSearch<double>{}).reason;
}

// One replica count of a line, as one thread sees it.
struct TableColumn {
  const TablePiece& piece;
  std::int64_t index;  // of the piece
  std::int64_t column;
  double replicas;
  TableLine line;

  TONNAGE_KERNEL_BODY TableColumn(const TableChunk& chunk, std::int64_t thread)
      : TableColumn(chunk, thread, chunk.piece_of(&TablePiece::first_thread, thread)) {}

  // Calls visit(row, state, point) for every row, with point() the metrics there, and returns the
  // number of rows. It may leave out the last rows; num_alone of the piece then says so.
  template <bool kHasRoom, bool kStepped, class Visit>
  TONNAGE_KERNEL_BODY std::int64_t run(const TableChunk& chunk, const Visit& visit) const {
    const QueueShape shape = queue_shape(piece.server, piece.perf, piece.last_batch);
    const double inverse_out_tokens = 1.0 / line.out_tokens;
    const auto longest = static_cast<double>(piece.last_batch);
    TableState<double> state{};
    state.chain = {1.0, 1.0, 0.0};
    state.rate = line.total_rate_per_ms / replicas;
    state.inverse_rate = 1.0 / state.rate;
    const ServiceSegment segment = service_segment(shape.service, chunk_count(shape.service, 1.0));
    const double* const inv_mu = kStepped ? chunk.inv_mu_of(piece) : nullptr;
    bool alone = false;
    std::int64_t next = piece.first_batch, row = 0;
    for (std::int64_t n = 1; row < piece.num_rows; ++n) {
      const auto batch = static_cast<double>(n);
      const double reciprocal = chunk.reciprocals[n];
      table_step(state, batch, kStepped ? inv_mu[n] : inverse_mu(segment, reciprocal));
      // The rule of CPU lanes: from such a row on, the line is not for a device.
      alone = alone || !(state.q <= kMostTableLoad);
      if (n == next) {
        if constexpr (kStepped) {
          alone =
              alone || (state.chain.weight < state.chain.sum * kLeastTableWeight && state.q > 1.0);
        }
        if (alone) {
          raise_to(&chunk.num_alone[index], static_cast<std::int32_t>(piece.num_rows - row));
          break;
        }
        const auto prefill_at = [&](double in_service) -> TablePrefill<double> {
          if constexpr (!kStepped) {
            return {segment.chunks, segment.delta_ms, segment.prefill_work_ms};
          } else {
            const double rounded = in_service + 0.5;
            const double whole =
                rounded >= batch ? batch : (rounded >= 1 ? std::floor(rounded) : 1.0);
            const ServiceSegment s =
                service_segment(shape.service, chunk_count(shape.service, whole));
            return {s.chunks, s.delta_ms, s.prefill_work_ms};
          }
        };
        visit(row, state, [&] {
          return table_point<kHasRoom>(line, state, batch, reciprocal, inverse_out_tokens,
                                       prefill_at);
        });
        next += piece.batch_step;
        ++row;
      }
      if (n % kChainBlock == 0) {
        // Service may slow down again, so no weight is cut.
        (void)chain_block_end(state.chain, kStepped ? 1.0 : state.q, n, longest);
      }
    }
    return row;
  }

  TONNAGE_KERNEL_BODY Verdict judge(const TableChunk& chunk, std::int64_t row,
                                    const TableState<double>& state,
                                    const TablePoint<double>& p) const {
    return judge_candidate(
        piece.server, static_cast<std::int64_t>(replicas), chunk.needs[piece.first_row + row],
        {p.itl_ms, p.response_ms, p.drop, state.q}, [&] { return p.ttft_ms; },
        [&] { return reason_at_low_end(piece.server, piece.perf, batch(row)); });
  }
  [[nodiscard]] TONNAGE_KERNEL_BODY std::int64_t batch(std::int64_t row) const {
    return piece.first_batch + row * piece.batch_step;
  }

 private:
  TONNAGE_KERNEL_BODY TableColumn(const TableChunk& chunk, std::int64_t thread, std::int64_t at)
      : piece(chunk.pieces[at]),
        index(at),
        column(thread - piece.first_thread),
        replicas(static_cast<double>(piece.first_replicas + column * piece.replica_step)),
        line{piece.server.total_rate_per_ms,
             piece.perf.alpha_ms,
             piece.server.out_tokens,
             piece.server.max_queue,
             static_cast<double>(piece.perf.instances_per_replica),
             piece.perf.cost_per_replica,
             piece.power} {}
};

template <bool kHasRoom, bool kStepped>
struct FillTable {
  static constexpr int kThreadsPerItem = 1;
  TableChunk chunk;
  std::int64_t first_thread;  // of item 0: each form has pieces of its own

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const TableColumn column(chunk, first_thread + item);
    std::int64_t row = column.run<kHasRoom, kStepped>(
        chunk, [&](std::int64_t at, const TableState<double>& state, const auto& point) {
          const TablePoint<double> p = point();
          write(column, p, at);
          if (column.piece.server.targets.binds_percentile()) return;  // see JudgePercentiles
          chunk.verdicts[place(column, at)] = column.judge(chunk, at, state, p);
        });
    // Initialise all copied memory, even if it is not read.
    for (; row < column.piece.num_rows; ++row) {
      write(column, {}, row);
      chunk.verdicts[place(column, row)] = Verdict::kFeasible;
    }
  }

 private:
  TONNAGE_KERNEL_BODY static std::int64_t place(const TableColumn& c, std::int64_t row) {
    return c.piece.first_candidate + row * c.piece.num_replicas + c.column;
  }
  TONNAGE_KERNEL_BODY void write(const TableColumn& c, const TablePoint<double>& p,
                                 std::int64_t row) const {
    const std::int64_t to = place(c, row);
    const auto set = [&](int column, double value) {
      chunk.columns[column * chunk.stride + to] = value;
    };
    const auto put = [&](GridColumn column, double value) { set(static_cast<int>(column), value); };
    put(GridColumn::kCost, c.replicas * c.line.cost_per_replica);
    put(GridColumn::kGoodput, p.goodput_per_ms * (c.replicas * kMsPerMinute));
    put(GridColumn::kDrop, p.drop);
    put(GridColumn::kItl, p.itl_ms);
    put(GridColumn::kTtft, p.ttft_ms);
    put(GridColumn::kWait, p.wait_ms);
    put(GridColumn::kPrefill, p.prefill_ms);
    put(GridColumn::kResponse, p.response_ms);
    put(GridColumn::kRho, p.rho);
    put(GridColumn::kPower,
        (c.replicas * c.line.instances_per_replica) * table_power(c.line, p.rho));
    if (!chunk.percentiles) return;
    set(kWaitColumn, p.wait_weight);
    set(kLoadColumn, p.wait_ratio);
  }
};

// A candidate by its place in the chunk.
struct TableCandidate {
  const TableChunk& chunk;
  std::int64_t index;
  const TablePiece& piece;
  std::int64_t row;  // of the piece
  std::int64_t batch;

  TONNAGE_KERNEL_BODY TableCandidate(const TableChunk& all, std::int64_t candidate)
      : chunk(all),
        index(candidate),
        piece(all.pieces[all.piece_of(&TablePiece::first_candidate, candidate)]),
        row((candidate - piece.first_candidate) / piece.num_replicas),
        batch(piece.first_batch + row * piece.batch_step) {}

  [[nodiscard]] TONNAGE_KERNEL_BODY double& at(int column) const {
    return chunk.columns[column * chunk.stride + index];
  }
  [[nodiscard]] TONNAGE_KERNEL_BODY double at(GridColumn column) const {
    return at(static_cast<int>(column));
  }
  [[nodiscard]] TONNAGE_KERNEL_BODY double inv_mu() const {
    return inverse_mu_at(piece.server, piece.perf, batch, chunk.reciprocals);
  }
};

// The columns of percentiles, from the columns that FillTable left for each candidate.
struct FillPercentiles {
  static constexpr int kThreadsPerItem = 1;
  TableChunk chunk;
  TtftLevels levels;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const TableCandidate c(chunk, item);
    QueueMetrics m = metrics_of_wait(c.at(kWaitColumn), c.at(kLoadColumn), c.inv_mu());
    m.prefill_ms = c.at(GridColumn::kPrefill);
    m.itl_ms = c.at(GridColumn::kItl);
    for (int i = 0; i < kNumTtftLevels; ++i) {
      c.at(kNumPlainGridColumns + i) =
          ttft_at_level(m, c.piece.server.max_queue, levels.probability[i]);
    }
  }
};

// The verdicts for TTFT targets that bind a percentile, which FillTable leaves out.
struct JudgePercentiles {
  static constexpr int kThreadsPerItem = 1;
  TableChunk chunk;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const TableCandidate c(chunk, item);
    const ServerRow& server = c.piece.server;
    if (!server.targets.binds_percentile()) return;
    const std::int64_t replicas = c.piece.first_replicas + (item - c.piece.first_candidate) %
                                                               c.piece.num_replicas *
                                                               c.piece.replica_step;
    const double rate = server.total_rate_per_ms / static_cast<double>(replicas);
    const auto ttft = [&] {
      const QueueShape shape = queue_shape(server, c.piece.perf, c.batch);
      const QueueMetrics m = evaluate_queue(shape.service, c.batch, shape.max_queue, rate);
      return ttft_at_level(m, shape.max_queue, server.targets.ttft_percentile / 100);
    };
    const auto low_end = [&] {
      return finish_on_percentile(server, c.piece.perf, c.batch, RateSearch<double>{}).reason;
    };
    chunk.verdicts[item] = judge_candidate(server, replicas, chunk.needs[c.piece.first_row + c.row],
                                           {c.at(GridColumn::kItl), c.at(GridColumn::kResponse),
                                            c.at(GridColumn::kDrop), rate * c.inv_mu()},
                                           ttft, low_end);
  }
};

}  // namespace tonnage::cuda
