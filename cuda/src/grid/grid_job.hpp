// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A job over the lines of a grid, which threads on several devices take as they become free. Owns:
// which lines devices take, the threads, the layout of lines as pieces of a chunk, and how a
// failure of one thread ends the others.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "cuda/src/base/threads.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

// Thrown if the smallest chunk does not fit into the memory of a device.
struct NoMemory : Error {
  NoMemory(const Device& device, const OutOfMemory& error, const char* least)
      : Error(ErrorCode::kUnavailable, device.name() + ": " + error.what() + ", for " + least) {}
};

struct GridJob {
  // `leaves_percentiles`: the host gets lines whose TTFT target binds a percentile.
  GridJob(const Evaluator& with_host, const Problem& of, std::span<const GridLine> over,
          const GridOptions& with, bool leaves_percentiles);

  const Evaluator& host;
  const Problem& problem;
  std::span<const GridLine> grid;
  const GridOptions& options;
  GridOptions silent;  // without progress: for what the host does, which report() counts
  std::vector<std::int64_t> lines;  // ordinals of the lines for the devices
  std::vector<RestOfLine> rest;     // the others
  std::int64_t largest_batch = 0;   // of the former, as below
  std::int64_t widest_row = 0;
  std::int64_t most_rows = 0;
  std::int64_t most_rates = 0;
  std::int64_t num_workers = 0;

  std::atomic<bool> failed{false};
  std::mutex mutex;  // of everything below
  std::size_t next = 0;
  std::int64_t done = 0;
  std::exception_ptr error;
  // Error of a worker that found no memory or got no thread and left the work to the others.
  std::exception_ptr left_out;

  [[nodiscard]] const ServerRow& server(const GridLine& g) const {
    return problem.servers[problem.lines[g.line].server];
  }
  [[nodiscard]] const PerfRow& perf(const GridLine& g) const {
    return problem.perfs[problem.lines[g.line].perf];
  }

  // Entries of TableChunk::inv_mu that a piece of the line needs.
  [[nodiscard]] std::int64_t num_rates(const GridLine& g) const {
    const std::int64_t last = g.batch(g.num_batches - 1);
    return is_stepped_form(table_form(server(g), perf(g), last)) ? last : 0;
  }

  // Takes the next lines: at most `most`, while fits(line) holds, and at least one.
  template <class Fits>
  [[nodiscard]] std::vector<std::int64_t> take(std::int64_t most, const Fits& fits) {
    const std::lock_guard lock(mutex);
    std::vector<std::int64_t> taken;
    while (next < lines.size() && std::ssize(taken) < most) {
      const bool does_fit = fits(grid[lines[next]]);
      if (!taken.empty() && !does_fit) break;
      taken.push_back(lines[next++]);
    }
    return taken;
  }
  void report(std::int64_t lines_done);
  void fail();  // with the exception under way

  // Runs work(device) on some threads for each device and fill_the_rest() on this thread. Returns
  // when all are done, and rethrows the first exception.
  template <class Work, class Rest>
  void run(const std::vector<std::unique_ptr<Device>>& devices, const Work& work,
           const Rest& fill_the_rest) {
    const std::int64_t on_each = workers_on_each(std::ssize(devices));
    num_workers = on_each * std::ssize(devices);
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < on_each && !lines.empty(); ++i) {
      for (const auto& device : devices) {
        try {
          start_thread(threads, *device, [&] { run_one(*device, work); });
        } catch (const NoThread&) {
          leave_out();
        }
      }
    }
    try {
      fill_the_rest();
      if (!rest.empty()) report(std::ssize(rest));
    } catch (...) {
      fail();
    }
    for (std::jthread& thread : threads) thread.join();
    if (error) std::rethrow_exception(error);
    if (next < lines.size()) std::rethrow_exception(left_out);
  }

 private:
  template <class Work>
  void run_one(Device& device, const Work& work) {
    try {
      work(device);
    } catch (const NoMemory&) {
      leave_out();
    } catch (...) {
      fail();
    }
  }
  void leave_out();  // for the exception under way; the others go on
  [[nodiscard]] std::int64_t workers_on_each(std::int64_t num_devices) const;
};

// Rows of one line in a chunk.
struct PieceOfLine {
  std::int64_t ordinal;
  std::int64_t first;  // row
  std::int64_t num_rows;
};

// Pieces of a chunk in the order of the forms of the kernel.
struct PieceLayout {
  std::vector<PieceOfLine> pieces;
  std::array<std::int64_t, kTableForms + 1> first_thread{};  // of each form
  std::int64_t threads = 0, rows = 0, candidates = 0, rates = 0;
  std::int64_t first_stepped = 0;  // the first piece whose chunk count grows
};

// Fills `to` with the description of the pieces for the device.
[[nodiscard]] PieceLayout lay_out(const GridJob& job, const std::vector<PieceOfLine>& pieces,
                                  TablePiece* to);

}  // namespace tonnage::cuda
