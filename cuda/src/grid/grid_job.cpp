// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Shares the lines of a grid among threads on devices and the host, and lays out lines as pieces of
// a chunk.
#include "cuda/src/grid/grid_job.hpp"

#include <utility>

#include "core/src/check.hpp"

namespace tonnage::cuda {
namespace {

// Most threads per device: enough to keep it busy while answers are handed over.
constexpr std::int64_t kMostWorkers = 8;

}  // namespace

GridJob::GridJob(const Evaluator& with_host, const Problem& of, std::span<const GridLine> over,
                 const GridOptions& with, bool leaves_percentiles)
    : host(with_host), problem(of), grid(over), options(with), silent(with) {
  silent.progress = {};
  for (std::int64_t k = 0; k < std::ssize(grid); ++k) {
    const GridLine& g = grid[k];
    if (!needs_search(server(g), perf(g)) ||
        (leaves_percentiles && server(g).targets.binds_percentile())) {
      rest.push_back({k, 0});
      continue;
    }
    lines.push_back(k);
    largest_batch = std::max(largest_batch, g.batch(g.num_batches - 1));
    widest_row = std::max(widest_row, g.num_replicas);
    most_rows = std::max(most_rows, g.num_batches);
    most_rates = std::max(most_rates, num_rates(g));
  }
}

void GridJob::report(std::int64_t lines_done) {
  const std::lock_guard lock(mutex);
  done += lines_done;
  if (options.progress) options.progress("candidates", done, std::ssize(grid));
}

void GridJob::fail() {
  failed = true;
  const std::lock_guard lock(mutex);
  if (!error) error = std::current_exception();
}

void GridJob::leave_out() {
  const std::lock_guard lock(mutex);
  left_out = std::current_exception();
}

std::int64_t GridJob::workers_on_each(std::int64_t num_devices) const {
  const std::int64_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::int64_t team = options.num_threads > 0 ? options.num_threads : processors;
  return std::clamp<std::int64_t>(team / std::max<std::int64_t>(1, num_devices), 1, kMostWorkers);
}

PieceLayout lay_out(const GridJob& job, const std::vector<PieceOfLine>& pieces, TablePiece* to) {
  std::vector<std::pair<int, PieceOfLine>> sorted;
  for (const PieceOfLine& p : pieces) {
    const GridLine& g = job.grid[p.ordinal];
    TONNAGE_CHECK(p.first >= 0 && p.num_rows > 0 && p.first + p.num_rows <= g.num_batches);
    sorted.emplace_back(table_form(job.server(g), job.perf(g), g.batch(g.num_batches - 1)), p);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  PieceLayout layout;
  for (const auto& [form, p] : sorted) {
    const GridLine& g = job.grid[p.ordinal];
    const PerfRow& perf = job.perf(g);
    to[std::ssize(layout.pieces)] = {job.server(g),
                                     perf,
                                     job.problem.accelerators[perf.accelerator].power_curve(),
                                     g.line,
                                     g.batch(p.first),
                                     g.batch_step,
                                     p.num_rows,
                                     g.batch(g.num_batches - 1),
                                     g.first_replicas,
                                     g.replica_step,
                                     g.num_replicas,
                                     layout.threads,
                                     layout.rows,
                                     layout.candidates,
                                     layout.rates};
    layout.threads += g.num_replicas;
    layout.rows += p.num_rows;
    layout.candidates += p.num_rows * g.num_replicas;
    if (is_stepped_form(form)) {
      layout.rates += g.batch(g.num_batches - 1);
    } else {
      ++layout.first_stepped;
    }
    layout.first_thread[form + 1] = layout.threads;
    layout.pieces.push_back(p);
  }
  for (int form = 1; form <= kTableForms; ++form) {
    layout.first_thread[form] = std::max(layout.first_thread[form], layout.first_thread[form - 1]);
  }
  return layout;
}

}  // namespace tonnage::cuda
