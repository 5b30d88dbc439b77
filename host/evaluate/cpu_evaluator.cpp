// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CPU evaluator: shares lines among threads, and runs searches, tables and sizing with the
// kernels of one instruction set.
#include <atomic>
#include <memory>
#include <mutex>

#include "host/base/parallel.hpp"
#include "host/evaluate/batch_search.hpp"
#include "host/evaluate/grid_table.hpp"
#include "host/evaluate/simd/kernels.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage {
namespace {

// Lines differ in length by orders of magnitude: small chunks keep the threads busy.
constexpr std::int64_t kLinesPerChunk = 64;

// Sum of the batch ceilings of all lines to search.
std::int64_t sum_of_ceilings(const Problem& problem) {
  std::int64_t sum = 0;
  for (const LineRow& line : problem.lines) {
    const ServerRow& server = problem.servers[line.server];
    const PerfRow& perf = problem.perfs[line.perf];
    if (needs_search(server, perf)) sum += batch_ceiling(server, perf);
  }
  return sum;
}

class CpuEvaluator : public Evaluator {
 public:
  explicit CpuEvaluator(InstructionSet isa) : isa_(isa), kernels_(kernels_of(isa)) {}

  [[nodiscard]] std::string_view name() const override { return "cpu"; }

  [[nodiscard]] Availability availability() const override {
    return {true, std::string(to_string(isa_)) + ", " + std::to_string(team_size(0)) + " threads"};
  }

  [[nodiscard]] SearchResult search(const Problem& problem,
                                    const SearchOptions& options) const override {
    SearchResult result;
    result.lines = size_lines(problem, isa_, options.num_threads, options.progress);
    if (options.batch == BatchMode::kMax) return result;

    const std::vector<double> reciprocals = reciprocal_table(problem, options.num_threads);
    const auto count = static_cast<std::int64_t>(problem.lines.size());
    std::atomic<std::int64_t> swept{0}, passed{0}, sized{0};
    WorkMeter meter(options.progress, "batch sizes", sum_of_ceilings(problem));
    parallel_chunks(
        count, fair_chunk(count, kLinesPerChunk, options.num_threads), options.num_threads,
        [&](std::int64_t first, std::int64_t last) {
          BatchSearch search(kernels_, reciprocals, meter);
          SweepCounts counts;
          for (std::int64_t i = first; i < last; ++i) {
            const ServerRow& server = problem.servers[problem.lines[i].server];
            const PerfRow& perf = problem.perfs[problem.lines[i].perf];
            LineOutcome& line = result.lines[i];
            line = options.exhaustive ? search.exhaustive(server, perf, line, {}, counts)
                                      : search.pruned(server, perf, line, counts);
            if (needs_search(server, perf)) meter.add(batch_ceiling(server, perf));
          }
          swept += counts.candidates;
          passed += counts.passed;
          sized += counts.sized;
        },
        [&](std::int64_t) { meter.check(); });
    meter.finish();
    result.candidates_swept = swept;
    result.candidates_passed = passed;
    result.batches_sized = sized;
    return result;
  }

  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    const std::vector<double> reciprocals = reciprocal_table(problem, options.num_threads);
    const auto count = static_cast<std::int64_t>(grid.size());
    const std::int64_t share = options.memory_limit / team_size(options.num_threads);
    // One filler per active thread, reused for later lines.
    std::mutex mutex;
    std::vector<std::unique_ptr<TableFiller>> idle;
    WorkMeter meter(options.progress, "candidates", count);
    parallel_chunks(
        count, 1, options.num_threads,
        [&](std::int64_t first, std::int64_t last) {
          std::unique_ptr<TableFiller> filler;
          {
            const std::lock_guard lock(mutex);
            if (!idle.empty()) {
              filler = std::move(idle.back());
              idle.pop_back();
            }
          }
          if (!filler) {
            filler = std::make_unique<TableFiller>(problem, kernels_, reciprocals,
                                                   options.percentiles, share, meter);
          }
          for (std::int64_t i = first; i < last; ++i) {
            filler->fill(grid[i], i, consumer);
            meter.add(1);
          }
          const std::lock_guard lock(mutex);
          idle.push_back(std::move(filler));
        },
        [&](std::int64_t) { meter.check(); });
    meter.finish();
  }

 private:
  InstructionSet isa_;
  const Kernels& kernels_;
};

}  // namespace

std::string_view to_string(BatchMode mode) { return mode == BatchMode::kMax ? "max" : "search"; }

bool parse_batch_mode(std::string_view name, BatchMode& mode) {
  for (const BatchMode m : {BatchMode::kMax, BatchMode::kSearch}) {
    if (name == to_string(m)) {
      mode = m;
      return true;
    }
  }
  return false;
}

std::unique_ptr<Evaluator> make_cpu_evaluator(InstructionSet isa) {
  return std::make_unique<CpuEvaluator>(isa);
}

}  // namespace tonnage
