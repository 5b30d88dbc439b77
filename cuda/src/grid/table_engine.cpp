// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The engine of the table of candidates: per device, threads with two chunks of grid lines in
// flight, whose rows go to the consumer. The kernels are in table_kernels.hpp.
#include "cuda/src/grid/table_engine.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cuda/src/grid/grid_job.hpp"

namespace tonnage::cuda {
namespace {

// Candidates of a block for the consumer, as on the CPU: columns that fit the second-level cache.
constexpr std::int64_t kBlockCandidates = 8192;
// Candidates per entry of TableChunk::inv_mu that a chunk has room for. Candidates of one rate
// share an entry.
constexpr std::int64_t kCandidatesPerRate = 4;
// Alignment of columns: whole cache lines.
constexpr std::int64_t kStrideUnit = 32;

struct Job : GridJob {
  Job(const Evaluator& with_host, const Problem& of, std::span<const GridLine> over,
      const GridOptions& with, const GridConsumer& to, const TableLimits& within)
      : GridJob(with_host, of, over, with, false),
        consumer(to),
        limits(within),
        num_columns(with.percentiles ? kNumGridColumns : kNumPlainGridColumns) {
    for (const std::int64_t k : lines) {
      candidates += std::min(grid[k].num_candidates(), limits.candidates);
    }
  }

  const GridConsumer& consumer;
  const TableLimits& limits;
  int num_columns;
  std::int64_t candidates = 0;  // of the lines for the devices, as far as a chunk could hold them
};

// Memory of one chunk in flight, in pinned host memory and on the device.
struct Slot {
  Slot(Device& device, std::int64_t most_pieces, std::int64_t candidates, std::int64_t rates,
       int num_columns)
      : host_pieces(device, MemoryKind::kPinned, most_pieces),
        host_alone(device, MemoryKind::kPinned, most_pieces),
        host_columns(device, MemoryKind::kPinned, num_columns * candidates),
        host_verdicts(device, MemoryKind::kPinned, candidates),
        pieces_on_device(device, MemoryKind::kDevice, most_pieces),
        alone(device, MemoryKind::kDevice, most_pieces),
        inv_mu(device, MemoryKind::kDevice, rates),
        needs(device, MemoryKind::kDevice, candidates),
        columns(
            device, MemoryKind::kDevice,
            (num_columns > kNumPlainGridColumns ? kNumDeviceColumns : num_columns) * candidates),
        verdicts(device, MemoryKind::kDevice, candidates),
        stream(device.make_stream()) {}

  Buffer<TablePiece> host_pieces;
  Buffer<std::int32_t> host_alone;
  Buffer<double> host_columns;
  Buffer<Verdict> host_verdicts;
  Buffer<TablePiece> pieces_on_device;
  Buffer<std::int32_t> alone;
  Buffer<double> inv_mu;
  Buffer<std::int32_t> needs;
  Buffer<double> columns;
  Buffer<Verdict> verdicts;
  std::unique_ptr<Stream> stream;  // last: it goes before the memory it works on

  PieceLayout layout;  // no pieces: nothing in flight
  std::int64_t stride = 0;
};

// One thread and its two chunks on a device: while one is computed and copied, the rows of the
// other are handed over.
class Worker {
 public:
  Worker(Device& device, Job& job) : device_(device), job_(job) {
    device_.bind();
    allocate();
    slots_[0]->stream->launch(FillReciprocals{reciprocals_.data()}, reciprocals_.size());
    slots_[0]->stream->wait();
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    while (!job_.failed) {
      std::int64_t candidates = 0, rates = 0;
      const std::vector<std::int64_t> ordinals = job_.take(pieces_, [&](const GridLine& g) {
        candidates += g.num_candidates();
        rates += job_.num_rates(g);
        return candidates <= candidates_ && rates <= rates_;
      });
      if (ordinals.empty()) break;
      if (job_.grid[ordinals.front()].num_candidates() > candidates_) {
        run_long(ordinals.front());
      } else {
        std::vector<PieceOfLine> pieces;
        for (const std::int64_t k : ordinals) pieces.push_back({k, 0, job_.grid[k].num_batches});
        start_next(pieces);
      }
    }
    finish_all();
  }

 private:
  // Allocates two chunks, halving their size until memory suffices.
  void allocate() {
    const auto bytes =
        static_cast<std::int64_t>(job_.num_columns * sizeof(double) + sizeof(Verdict));
    const std::int64_t share = 2 * job_.num_workers * bytes;
    candidates_ = std::min(
        {job_.limits.candidates, job_.options.memory_limit / share, job_.candidates + kStrideUnit});
    pieces_ = std::min(job_.limits.pieces, std::ssize(job_.lines));
    const std::int64_t least = (job_.widest_row + kStrideUnit - 1) / kStrideUnit * kStrideUnit;
    while (true) {
      candidates_ = std::max(candidates_ / kStrideUnit * kStrideUnit, least);
      rates_ =
          job_.most_rates > 0 ? std::max(candidates_ / kCandidatesPerRate, job_.most_rates) : 0;
      try {
        reciprocals_ = Buffer<double>(device_, MemoryKind::kDevice, job_.largest_batch + 1);
        for (std::optional<Slot>& slot : slots_) {
          slot.emplace(device_, pieces_, candidates_, rates_, job_.num_columns);
        }
        return;
      } catch (const OutOfMemory& error) {
        for (std::optional<Slot>& slot : slots_) slot.reset();
        reciprocals_ = {};
        if (candidates_ == least && pieces_ == 1) {
          throw NoMemory(device_, error, "a single row at a time");
        }
        candidates_ /= 2;
        pieces_ = std::max<std::int64_t>(1, pieces_ / 2);
      }
    }
  }

  // Cuts a line into pieces of as many rows as fit.
  void run_long(std::int64_t ordinal) {
    const GridLine& g = job_.grid[ordinal];
    const std::int64_t rows = candidates_ / g.num_replicas;
    for (std::int64_t first = 0; first < g.num_batches && !job_.failed; first += rows) {
      start_next({{ordinal, first, std::min(rows, g.num_batches - first)}});
      if (given_up_ == ordinal) break;
    }
  }

  // Starts a chunk, after taking the answers of the chunk before the last.
  void start_next(const std::vector<PieceOfLine>& pieces) {
    Slot& slot = *slots_[turn_];
    turn_ ^= 1;
    finish(slot);
    start(slot, pieces);
  }
  // Finishes chunks in the order in which they were started.
  void finish_all() {
    for (int i = 0; i < 2; ++i, turn_ ^= 1) finish(*slots_[turn_]);
  }

  void start(Slot& slot, const std::vector<PieceOfLine>& pieces) {
    slot.layout = lay_out(job_, pieces, slot.host_pieces.data());
    const PieceLayout& layout = slot.layout;
    slot.stride = (layout.candidates + kStrideUnit - 1) / kStrideUnit * kStrideUnit;
    const auto count = std::ssize(layout.pieces);
    Stream& stream = *slot.stream;
    stream.to_device(slot.pieces_on_device.data(), slot.host_pieces.data(),
                     static_cast<std::size_t>(count) * sizeof(TablePiece));
    stream.zero(slot.alone.data(), static_cast<std::size_t>(count) * sizeof(std::int32_t));
    const TableChunk chunk{slot.pieces_on_device.data(),
                           count,
                           reciprocals_.data(),
                           slot.inv_mu.data(),
                           layout.first_stepped,
                           slot.needs.data(),
                           slot.alone.data(),
                           slot.columns.data(),
                           slot.stride,
                           slot.verdicts.data(),
                           job_.options.percentiles};
    stream.launch(FillPieceRates{chunk}, layout.rates);
    stream.launch(SizeTableRows{chunk}, layout.rows);
    for (int form = 0; form < kTableForms; ++form) {
      stream.launch(kernel_of_form<FillTable>(form, chunk, layout.first_thread[form]),
                    layout.first_thread[form + 1] - layout.first_thread[form]);
    }
    const bool binds = std::any_of(
        slot.host_pieces.data(), slot.host_pieces.data() + count,
        [](const TablePiece& piece) { return piece.server.targets.binds_percentile(); });
    if (binds) stream.launch(JudgePercentiles{chunk}, layout.candidates);
    if (job_.options.percentiles) {
      stream.launch(FillPercentiles{chunk, kTtftLevels}, layout.candidates);
    }
    for (int c = 0; c < job_.num_columns; ++c) {
      stream.to_host(slot.host_columns.data() + c * slot.stride,
                     slot.columns.data() + c * slot.stride,
                     static_cast<std::size_t>(layout.candidates) * sizeof(double));
    }
    stream.to_host(slot.host_verdicts.data(), slot.verdicts.data(),
                   static_cast<std::size_t>(layout.candidates) * sizeof(Verdict));
    stream.to_host(slot.host_alone.data(), slot.alone.data(),
                   static_cast<std::size_t>(count) * sizeof(std::int32_t));
  }

  // Waits for the chunk in flight and hands its rows over.
  void finish(Slot& slot) {
    if (slot.layout.pieces.empty()) return;
    slot.stream->wait();
    std::int64_t ended = 0;
    for (std::int64_t i = 0; i < std::ssize(slot.layout.pieces) && !job_.failed; ++i) {
      ended += hand_over(slot, i) ? 1 : 0;
    }
    slot.layout.pieces.clear();
    job_.report(ended);
  }

  // Whether this piece is the last of its line.
  bool hand_over(const Slot& slot, std::int64_t i) {
    const PieceOfLine& piece = slot.layout.pieces[i];
    if (given_up_ == piece.ordinal) return false;
    const GridLine& g = job_.grid[piece.ordinal];
    const std::int64_t alone = slot.host_alone[i];
    const std::int64_t good = piece.num_rows - alone;
    const std::int64_t block_rows = std::max<std::int64_t>(1, kBlockCandidates / g.num_replicas);
    for (std::int64_t row = 0; row < good; row += block_rows) {
      const std::int64_t rows = std::min(block_rows, good - row);
      const std::int64_t at = slot.host_pieces[i].first_candidate + row * g.num_replicas;
      const auto count = static_cast<std::size_t>(rows * g.num_replicas);
      GridBlock block{
          &g, piece.ordinal, piece.first + row, rows, {}, {slot.host_verdicts.data() + at, count}};
      for (int c = 0; c < job_.num_columns; ++c) {
        block.columns[c] = {slot.host_columns.data() + c * slot.stride + at, count};
      }
      job_.consumer(block);
    }
    const bool is_last = piece.first + piece.num_rows == g.num_batches;
    if (alone == 0) return is_last;
    if (!is_last) given_up_ = piece.ordinal;
    GridOptions options = job_.silent;
    options.num_threads = 1;
    const RestOfLine rest{piece.ordinal, piece.first + good};
    fill_rest(job_.host, job_.problem, job_.grid, {&rest, 1}, options, job_.consumer);
    return true;
  }

  Device& device_;
  Job& job_;
  std::int64_t pieces_ = 0;
  std::int64_t candidates_ = 0;
  std::int64_t rates_ = 0;
  std::int64_t given_up_ = -1;  // a line in pieces whose rest the host has filled
  std::size_t turn_ = 0;
  Buffer<double> reciprocals_;
  std::array<std::optional<Slot>, 2> slots_;
};

}  // namespace

void table_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                      const Problem& problem, std::span<const GridLine> grid,
                      const GridOptions& options, const GridConsumer& consumer,
                      const TableLimits& limits) {
  Job job(host, problem, grid, options, consumer, limits);
  job.run(
      devices, [&](Device& device) { Worker(device, job).run(); },
      [&] { fill_rest(host, problem, grid, job.rest, job.silent, consumer); });
}

}  // namespace tonnage::cuda
