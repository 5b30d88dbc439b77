// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The engine of frontier points: per device, threads that count and write the points of chunks of
// grid lines and copy them back. The kernels are in point_kernels.hpp.
#include "cuda/src/grid/point_engine.hpp"

#include <algorithm>

#include "cuda/src/grid/grid_job.hpp"

namespace tonnage::cuda {
namespace {

struct Job : GridJob {
  Job(const Evaluator& with_host, const Problem& of, std::span<const GridLine> over,
      const GridOptions& with, const PointOptions& keep, const PointConsumer& to,
      const PointLimits& within)
      : GridJob(with_host, of, over, with, keep.ignore_targets),
        wanted(keep),
        consumer(to),
        limits(within) {
    for (const std::int64_t k : lines) {
      rows += grid[k].num_batches;
      threads += grid[k].num_replicas;
    }
  }

  const PointOptions& wanted;
  const PointConsumer& consumer;
  const PointLimits& limits;
  std::int64_t rows = 0, threads = 0;  // of the lines for the devices
};

// One thread and its chunk on a device. Other threads of the device compute and copy while this one
// waits or hands points over.
class Worker {
 public:
  Worker(Device& device, Job& job) : device_(device), job_(job) {
    device_.bind();
    stream_ = device_.make_stream();
    allocate();
    stream_->launch(FillReciprocals{reciprocals_.data()}, reciprocals_.size());
    // The padding of points is copied too, so it must be initialised.
    stream_->zero(found_.data(), static_cast<std::size_t>(found_.size()) * sizeof(ParetoPoint));
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    while (!job_.failed) {
      std::int64_t rows = 0, threads = 0, rates = 0;
      const std::vector<std::int64_t> ordinals = job_.take(lines_, [&](const GridLine& g) {
        rows += g.num_batches;
        threads += g.num_replicas;
        rates += job_.num_rates(g);
        return rows <= rows_ && threads <= threads_ && rates <= rates_;
      });
      if (ordinals.empty()) break;
      find(ordinals);
      job_.report(std::ssize(ordinals));
    }
  }

 private:
  void allocate() {
    lines_ = std::min(job_.limits.lines, std::ssize(job_.lines));
    rows_ = std::min(job_.limits.rows, job_.rows);
    threads_ = std::min(job_.limits.threads, job_.threads);
    points_ = job_.limits.points;
    while (true) {
      rows_ = std::max(rows_, job_.most_rows);
      threads_ = std::max(threads_, job_.widest_row);
      rates_ = job_.most_rates > 0 ? std::max(rows_, job_.most_rates) : 0;
      try {
        const auto both = [&](auto& pinned, auto& on_device, std::int64_t count) {
          pinned = {device_, MemoryKind::kPinned, count};
          on_device = {device_, MemoryKind::kDevice, count};
        };
        reciprocals_ = {device_, MemoryKind::kDevice, job_.largest_batch + 1};
        both(host_pieces_, pieces_, lines_);
        both(host_alone_, alone_, lines_);
        inv_mu_ = {device_, MemoryKind::kDevice, rates_};
        needs_ = {device_, MemoryKind::kDevice, rows_};
        counts_ = {device_, MemoryKind::kDevice, threads_ + 1};
        both(host_begin_, begin_, threads_ + 1);
        scratch_ = {device_, MemoryKind::kDevice,
                    static_cast<std::int64_t>(stream_->scratch_of_sum(threads_ + 1))};
        both(host_points_, found_, points_);
        return;
      } catch (const OutOfMemory& error) {
        release();
        if (lines_ == 1 && points_ == 1) {
          throw NoMemory(device_, error, "a single line at a time");
        }
        lines_ = std::max<std::int64_t>(1, lines_ / 2);
        rows_ /= 2;
        threads_ /= 2;
        points_ = std::max<std::int64_t>(1, points_ / 2);
      }
    }
  }
  void release() {
    reciprocals_ = {};
    host_pieces_ = {};
    pieces_ = {};
    host_alone_ = {};
    alone_ = {};
    inv_mu_ = {};
    needs_ = {};
    counts_ = {};
    host_begin_ = {};
    begin_ = {};
    scratch_ = {};
    host_points_ = {};
    found_ = {};
  }

  void find(const std::vector<std::int64_t>& ordinals) {
    std::vector<PieceOfLine> whole;
    for (const std::int64_t k : ordinals) whole.push_back({k, 0, job_.grid[k].num_batches});
    const PieceLayout layout = lay_out(job_, whole, host_pieces_.data());
    const auto count = std::ssize(layout.pieces);
    PointChunk chunk{{pieces_.data(), count, reciprocals_.data(), inv_mu_.data(),
                      layout.first_stepped, needs_.data(), alone_.data(), nullptr, 0, nullptr},
                     job_.wanted.ignore_targets,
                     counts_.data(),
                     begin_.data(),
                     0,
                     0,
                     found_.data()};
    stream_->to_device(pieces_.data(), host_pieces_.data(),
                       static_cast<std::size_t>(count) * sizeof(TablePiece));
    stream_->zero(alone_.data(), static_cast<std::size_t>(count) * sizeof(std::int32_t));
    stream_->zero(counts_.data() + layout.threads, sizeof(std::int64_t));
    stream_->launch(FillPieceRates{chunk.table}, layout.rates);
    stream_->launch(SizeTableRows{chunk.table}, layout.rows);
    launch_forms(layout, [&](int form, std::int64_t first) {
      return kernel_of_form<CountPoints>(form, chunk, first);
    });
    stream_->launch(DropPoints{chunk}, layout.threads);
    stream_->sum_before(begin_.data(), counts_.data(), layout.threads + 1, scratch_.data(),
                        static_cast<std::size_t>(scratch_.size()));
    stream_->to_host(host_begin_.data(), begin_.data(),
                     static_cast<std::size_t>(layout.threads + 1) * sizeof(std::int64_t));
    stream_->to_host(host_alone_.data(), alone_.data(),
                     static_cast<std::size_t>(count) * sizeof(std::int32_t));
    stream_->wait();
    hand_over(layout, chunk);
    std::vector<std::int64_t> left;
    for (std::int64_t i = 0; i < count; ++i) {
      if (host_alone_[i] > 0) left.push_back(layout.pieces[i].ordinal);
    }
    GridOptions options = job_.silent;
    options.num_threads = 1;
    find_points(job_.host, job_.problem, job_.grid, left, options, job_.wanted, job_.consumer);
  }

  template <class Form>
  void launch_forms(const PieceLayout& layout, const Form& kernel_of) {
    for (int form = 0; form < kTableForms; ++form) {
      const std::int64_t first = layout.first_thread[form];
      stream_->launch(kernel_of(form, first), layout.first_thread[form + 1] - first);
    }
  }

  // Writes and copies the points in windows that fit the buffer, and hands them over line by line.
  void hand_over(const PieceLayout& layout, PointChunk& chunk) {
    chunk.window = chunk.window_end = 0;
    for (std::int64_t i = 0; i < std::ssize(layout.pieces) && !job_.failed; ++i) {
      if (host_alone_[i] > 0) continue;
      const std::int64_t first = host_pieces_[i].first_thread;
      std::int64_t at = host_begin_[first];
      const std::int64_t end = host_begin_[first + host_pieces_[i].num_replicas];
      std::vector<ParetoPoint> split;  // the points of a line that windows cut
      while (true) {
        const std::int64_t until = std::min(end, chunk.window_end);
        const std::span<const ParetoPoint> here(host_points_.data() + (at - chunk.window),
                                                static_cast<std::size_t>(until - at));
        at = until;
        if (at == end && split.empty()) {
          job_.consumer(layout.pieces[i].ordinal, here);
          break;
        }
        split.insert(split.end(), here.begin(), here.end());
        if (at == end) {
          job_.consumer(layout.pieces[i].ordinal, split);
          break;
        }
        next_window(layout, chunk);
      }
    }
  }
  void next_window(const PieceLayout& layout, PointChunk& chunk) {
    chunk.window = chunk.window_end;
    chunk.window_end = std::min(chunk.window + points_, host_begin_[layout.threads]);
    launch_forms(layout, [&](int form, std::int64_t first) {
      return kernel_of_form<WritePoints>(form, chunk, first);
    });
    stream_->to_host(
        host_points_.data(), found_.data(),
        static_cast<std::size_t>(chunk.window_end - chunk.window) * sizeof(ParetoPoint));
    stream_->wait();
  }

  Device& device_;
  Job& job_;
  std::int64_t lines_ = 0, rows_ = 0, threads_ = 0, rates_ = 0, points_ = 0;
  Buffer<double> reciprocals_, inv_mu_;
  Buffer<TablePiece> host_pieces_, pieces_;
  Buffer<std::int32_t> host_alone_, alone_, needs_;
  Buffer<std::int64_t> counts_, host_begin_, begin_;
  Buffer<char> scratch_;
  Buffer<ParetoPoint> host_points_, found_;
  std::unique_ptr<Stream> stream_;  // last: it goes before the memory it works on
};

}  // namespace

void points_on_devices(const std::vector<std::unique_ptr<Device>>& devices, const Evaluator& host,
                       const Problem& problem, std::span<const GridLine> grid,
                       const GridOptions& options, const PointOptions& wanted,
                       const PointConsumer& consumer, const PointLimits& limits) {
  Job job(host, problem, grid, options, wanted, consumer, limits);
  std::vector<std::int64_t> rest;
  for (const RestOfLine& r : job.rest) rest.push_back(r.ordinal);
  job.run(
      devices, [&](Device& device) { Worker(device, job).run(); },
      [&] { find_points(host, problem, grid, rest, job.silent, wanted, consumer); });
}

}  // namespace tonnage::cuda
