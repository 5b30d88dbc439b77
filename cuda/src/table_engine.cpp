#include "table_engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace tonnage::cuda {
namespace {

// Blocks for the consumer: what stays in the second-level cache, as from the CPU.
constexpr std::int64_t kBlockCandidates = 8192;
// Where each column begins: whole cache lines.
constexpr std::int64_t kStrideUnit = 32;
constexpr std::int64_t kBytesPerCandidate = kNumPlainGridColumns * sizeof(double) + sizeof(Verdict);

// What all workers share.
struct Job {
  Job(const Evaluator& with_host, const Problem& of, std::span<const GridLine> over,
      const GridOptions& with, const GridConsumer& to, const TableLimits& within)
      : host(with_host), problem(of), grid(over), options(with), consumer(to), limits(within) {}

  const Evaluator& host;
  const Problem& problem;
  std::span<const GridLine> grid;
  const GridOptions& options;
  const GridConsumer& consumer;
  const TableLimits& limits;
  std::vector<std::int64_t> lines;  // ordinals of the lines for the devices
  std::int64_t largest_batch = 0;
  std::int64_t widest_row = 0;
  std::int64_t candidates = 0;  // of all these lines, as far as a chunk could hold them
  std::int64_t num_workers = 1;

  std::atomic<bool> failed{false};
  std::mutex mutex;  // of everything below
  std::size_t next = 0;
  std::int64_t done = 0;
  std::exception_ptr error;
  std::exception_ptr no_memory;  // of a worker that left the work to the others

  [[nodiscard]] const ServerRow& server(const GridLine& g) const {
    return problem.servers[problem.lines[g.line].server];
  }
  [[nodiscard]] const PerfRow& perf(const GridLine& g) const {
    return problem.perfs[problem.lines[g.line].perf];
  }
  void report(std::int64_t lines_done) {
    const std::lock_guard lock(mutex);
    done += lines_done;
    if (options.progress) options.progress("candidates", done, std::ssize(grid));
  }
};

// Not even a single row fits.
struct NoMemory : Error {
  using Error::Error;
};

// Rows of one line in a chunk.
struct PieceOfLine {
  std::int64_t ordinal;
  std::int64_t first;  // row
  std::int64_t num_rows;
  std::int64_t first_candidate;
};

// Memory of one chunk in flight, in pinned host memory and on the device.
struct Slot {
  Slot(Device& device, std::int64_t most_pieces, std::int64_t candidates)
      : stream(device.make_stream()),
        host_pieces(device, MemoryKind::kPinned, most_pieces),
        host_alone(device, MemoryKind::kPinned, most_pieces),
        host_columns(device, MemoryKind::kPinned, kNumPlainGridColumns * candidates),
        host_verdicts(device, MemoryKind::kPinned, candidates),
        pieces_on_device(device, MemoryKind::kDevice, most_pieces),
        alone(device, MemoryKind::kDevice, most_pieces),
        needs(device, MemoryKind::kDevice, candidates),
        columns(device, MemoryKind::kDevice, kNumPlainGridColumns * candidates),
        verdicts(device, MemoryKind::kDevice, candidates) {}

  std::unique_ptr<Stream> stream;
  Buffer<TablePiece> host_pieces;
  Buffer<std::int32_t> host_alone;
  Buffer<double> host_columns;
  Buffer<Verdict> host_verdicts;
  Buffer<TablePiece> pieces_on_device;
  Buffer<std::int32_t> alone;
  Buffer<std::int32_t> needs;
  Buffer<double> columns;
  Buffer<Verdict> verdicts;

  std::vector<PieceOfLine> pieces;  // empty: nothing in flight
  std::int64_t stride = 0;
};

// Most threads that work on one device: enough to keep it busy while rows are handed over.
constexpr std::int64_t kMostWorkers = 8;

// A thread's two chunks on one device: while one is computed and copied, the rows of the other are
// handed over.
class Worker {
 public:
  Worker(Device& device, Job& job) : device_(device), job_(job) {
    device_.bind();
    allocate();
    slots_[0]->stream->launch(FillReciprocals{reciprocals_.data()}, reciprocals_.size());
    slots_[0]->stream->wait();
  }

  // A device fault may surface here: nothing in flight may outlive its memory.
  ~Worker() {
    for (std::optional<Slot>& slot : slots_) {
      if (!slot || slot->pieces.empty()) continue;
      try {
        slot->stream->wait();
      } catch (...) {  // the run has failed already
      }
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    while (!job_.failed) {
      const std::vector<std::int64_t> ordinals = take_lines();
      if (ordinals.empty()) break;
      if (job_.grid[ordinals.front()].num_candidates() > candidates_) {
        run_long(ordinals.front());
      } else {
        std::vector<PieceOfLine> pieces;
        for (const std::int64_t k : ordinals) pieces.push_back({k, 0, job_.grid[k].num_batches, 0});
        start_next(std::move(pieces));
      }
    }
    finish_all();
  }

 private:
  // Takes memory for two chunks, smaller ones until it suffices.
  void allocate() {
    const std::int64_t share = 2 * job_.num_workers * kBytesPerCandidate;
    candidates_ = std::min(
        {job_.limits.candidates, job_.options.memory_limit / share, job_.candidates + kStrideUnit});
    pieces_ = std::min(job_.limits.pieces, std::ssize(job_.lines));
    const std::int64_t least = (job_.widest_row + kStrideUnit - 1) / kStrideUnit * kStrideUnit;
    while (true) {
      candidates_ = std::max(candidates_ / kStrideUnit * kStrideUnit, least);
      try {
        reciprocals_ = Buffer<double>(device_, MemoryKind::kDevice, job_.largest_batch + 1);
        for (std::optional<Slot>& slot : slots_) slot.emplace(device_, pieces_, candidates_);
        return;
      } catch (const OutOfMemory& error) {
        for (std::optional<Slot>& slot : slots_) slot.reset();
        reciprocals_ = {};
        if (candidates_ == least && pieces_ == 1) {
          throw NoMemory(ErrorCode::kUnavailable,
                         device_.name() + ": " + error.what() + ", for a single row at a time");
        }
        candidates_ /= 2;
        pieces_ = std::max<std::int64_t>(1, pieces_ / 2);
      }
    }
  }

  // Lines that fit into a chunk together, or one that does not.
  std::vector<std::int64_t> take_lines() {
    const std::lock_guard lock(job_.mutex);
    std::vector<std::int64_t> taken;
    std::int64_t candidates = 0;
    while (job_.next < job_.lines.size() && std::ssize(taken) < pieces_) {
      const std::int64_t k = job_.lines[job_.next];
      candidates += job_.grid[k].num_candidates();
      if (!taken.empty() && candidates > candidates_) break;
      taken.push_back(k);
      ++job_.next;
    }
    return taken;
  }

  // A line in pieces of as many rows as fit, one after the other.
  void run_long(std::int64_t ordinal) {
    const GridLine& g = job_.grid[ordinal];
    const std::int64_t rows = candidates_ / g.num_replicas;
    for (std::int64_t first = 0; first < g.num_batches && !job_.failed; first += rows) {
      start_next({{ordinal, first, std::min(rows, g.num_batches - first), 0}});
      if (given_up_ == ordinal) break;
    }
  }

  // Starts a chunk, taking the answers of the one before the last first.
  void start_next(std::vector<PieceOfLine> pieces) {
    Slot& slot = *slots_[turn_];
    turn_ ^= 1;
    finish(slot);
    start(slot, std::move(pieces));
  }
  // In the order in which they were started.
  void finish_all() {
    for (int i = 0; i < 2; ++i, turn_ ^= 1) finish(*slots_[turn_]);
  }

  void start(Slot& slot, std::vector<PieceOfLine> pieces) {
    std::array<std::int64_t, kTableForms + 1> first_thread{};
    const auto form_of = [&](const PieceOfLine& p) {
      const GridLine& g = job_.grid[p.ordinal];
      return table_form(job_.server(g), job_.perf(g), g.batch(g.num_batches - 1));
    };
    std::vector<std::pair<int, PieceOfLine>> sorted;
    for (const PieceOfLine& p : pieces) sorted.emplace_back(form_of(p), p);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    slot.pieces.clear();
    std::int64_t threads = 0, rows = 0, candidates = 0;
    for (auto& [form, p] : sorted) {
      const GridLine& g = job_.grid[p.ordinal];
      const PerfRow& perf = job_.perf(g);
      p.first_candidate = candidates;
      slot.host_pieces[std::ssize(slot.pieces)] = {
          job_.server(g),
          perf,
          job_.problem.accelerators[perf.accelerator].power_curve(),
          g.batch(p.first),
          g.batch_step,
          p.num_rows,
          g.batch(g.num_batches - 1),
          g.first_replicas,
          g.replica_step,
          g.num_replicas,
          threads,
          rows,
          candidates};
      threads += g.num_replicas;
      rows += p.num_rows;
      candidates += p.num_rows * g.num_replicas;
      first_thread[form + 1] = threads;
      slot.pieces.push_back(p);
    }
    for (int form = 1; form <= kTableForms; ++form) {
      first_thread[form] = std::max(first_thread[form], first_thread[form - 1]);
    }
    slot.stride = (candidates + kStrideUnit - 1) / kStrideUnit * kStrideUnit;

    const auto count = std::ssize(slot.pieces);
    Stream& stream = *slot.stream;
    stream.to_device(slot.pieces_on_device.data(), slot.host_pieces.data(),
                     static_cast<std::size_t>(count) * sizeof(TablePiece));
    stream.zero(slot.alone.data(), static_cast<std::size_t>(count) * sizeof(std::int32_t));
    const TableChunk chunk{slot.pieces_on_device.data(),
                           count,
                           reciprocals_.data(),
                           slot.needs.data(),
                           slot.alone.data(),
                           slot.columns.data(),
                           slot.stride,
                           slot.verdicts.data()};
    stream.launch(SizeTableRows{chunk}, rows);
    for (int form = 0; form < kTableForms; ++form) {
      stream.launch(table_of_form(form, chunk, first_thread[form]),
                    first_thread[form + 1] - first_thread[form]);
    }
    for (int c = 0; c < kNumPlainGridColumns; ++c) {
      stream.to_host(slot.host_columns.data() + c * slot.stride,
                     slot.columns.data() + c * slot.stride,
                     static_cast<std::size_t>(candidates) * sizeof(double));
    }
    stream.to_host(slot.host_verdicts.data(), slot.verdicts.data(),
                   static_cast<std::size_t>(candidates) * sizeof(Verdict));
    stream.to_host(slot.host_alone.data(), slot.alone.data(),
                   static_cast<std::size_t>(count) * sizeof(std::int32_t));
  }

  // Waits for the chunk in flight and hands its rows over.
  void finish(Slot& slot) {
    if (slot.pieces.empty()) return;
    slot.stream->wait();
    std::int64_t ended = 0;
    for (std::int64_t i = 0; i < std::ssize(slot.pieces) && !job_.failed; ++i) {
      ended += hand_over(slot, i) ? 1 : 0;
    }
    slot.pieces.clear();
    job_.report(ended);
  }

  // Whether the line ends with this piece.
  bool hand_over(const Slot& slot, std::int64_t i) {
    const PieceOfLine& piece = slot.pieces[i];
    if (given_up_ == piece.ordinal) return false;
    const GridLine& g = job_.grid[piece.ordinal];
    const std::int64_t alone = slot.host_alone[i];
    const std::int64_t good = piece.num_rows - alone;
    const std::int64_t block_rows = std::max<std::int64_t>(1, kBlockCandidates / g.num_replicas);
    for (std::int64_t row = 0; row < good; row += block_rows) {
      const std::int64_t rows = std::min(block_rows, good - row);
      const std::int64_t at = piece.first_candidate + row * g.num_replicas;
      const auto count = static_cast<std::size_t>(rows * g.num_replicas);
      GridBlock block{
          &g, piece.ordinal, piece.first + row, rows, {}, {slot.host_verdicts.data() + at, count}};
      for (int c = 0; c < kNumPlainGridColumns; ++c) {
        block.columns[c] = {slot.host_columns.data() + c * slot.stride + at, count};
      }
      job_.consumer(block);
    }
    const bool is_last = piece.first + piece.num_rows == g.num_batches;
    if (alone == 0) return is_last;
    if (!is_last) given_up_ = piece.ordinal;
    GridOptions options = job_.options;
    options.num_threads = 1;
    const RestOfLine rest{piece.ordinal, piece.first + good};
    fill_rest(job_.host, job_.problem, job_.grid, {&rest, 1}, options, job_.consumer);
    return true;
  }

  Device& device_;
  Job& job_;
  std::int64_t pieces_ = 0;
  std::int64_t candidates_ = 0;
  std::int64_t given_up_ = -1;  // a line in pieces whose rest the host has filled
  std::size_t turn_ = 0;
  Buffer<double> reciprocals_;
  std::array<std::optional<Slot>, 2> slots_;
};

void work(Device& device, Job& job) {
  try {
    Worker(device, job).run();
  } catch (const NoMemory&) {
    const std::lock_guard lock(job.mutex);
    job.no_memory = std::current_exception();
  } catch (...) {
    job.failed = true;
    const std::lock_guard lock(job.mutex);
    if (!job.error) job.error = std::current_exception();
  }
}

}  // namespace

void table_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                      const Problem& problem, std::span<const GridLine> grid,
                      const GridOptions& options, const GridConsumer& consumer,
                      const TableLimits& limits) {
  Job job(host, problem, grid, options, consumer, limits);
  std::vector<RestOfLine> rest;  // lines that no device fills
  for (std::int64_t k = 0; k < std::ssize(grid); ++k) {
    const GridLine& g = grid[k];
    // Percentiles take exp and log.
    if (options.percentiles || !device_fills(job.server(g), job.perf(g))) {
      rest.push_back({k, 0});
      continue;
    }
    job.lines.push_back(k);
    job.largest_batch = std::max(job.largest_batch, g.batch(g.num_batches - 1));
    job.widest_row = std::max(job.widest_row, g.num_replicas);
    job.candidates += std::min(g.num_candidates(), limits.candidates);
  }
  const std::int64_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::int64_t team = options.num_threads > 0 ? options.num_threads : processors;
  const std::int64_t on_each = std::clamp<std::int64_t>(
      team / std::max<std::int64_t>(1, std::ssize(devices)), 1, kMostWorkers);
  job.num_workers = on_each * std::ssize(devices);
  std::vector<std::jthread> threads;
  for (std::int64_t i = 0; i < on_each && !job.lines.empty(); ++i) {
    for (const auto& device : devices) threads.emplace_back([&] { work(*device, job); });
  }
  try {
    fill_rest(host, problem, grid, rest, options, consumer);
    if (!rest.empty()) job.report(std::ssize(rest));
  } catch (...) {
    job.failed = true;
    const std::lock_guard lock(job.mutex);
    if (!job.error) job.error = std::current_exception();
  }
  for (std::jthread& thread : threads) thread.join();
  if (job.error) std::rethrow_exception(job.error);
  if (job.next < job.lines.size()) std::rethrow_exception(job.no_memory);
}

}  // namespace tonnage::cuda
