// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The interface of a backend: evaluates the candidates of a Problem and reduces them to the best
// option of each line. Owns: the interface and its options. All backends give the same answers bit
// for bit.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   #include "tonnage/host/backends.hpp"
//   const tonnage::System system;
//   const tonnage::Problem problem = tonnage::build_problem(system);
//   const std::unique_ptr<tonnage::Evaluator> backend = tonnage::select_backend("cpu");
//   tonnage::SearchOptions options;
//   options.batch = tonnage::BatchMode::kSearch;
//   const tonnage::SearchResult found = backend->search(problem, options);
//   for (const tonnage::LineOutcome& line : found.lines) std::printf("%ld\n", line.num_replicas);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/error.hpp"
#include "tonnage/core/grid.hpp"
#include "tonnage/core/pareto.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/progress.hpp"

namespace tonnage {

// Which batch sizes of a pair are considered.
enum class BatchMode {
  kMax,     // the ceiling alone: the published behaviour
  kSearch,  // every one: per pair the least replicas, and among those the smallest batch size
};

[[nodiscard]] std::string_view to_string(BatchMode mode);  // "max", "search"
// Mode of that exact name; false (and `mode` untouched) if there is none.
[[nodiscard]] bool parse_batch_mode(std::string_view name, BatchMode& mode);

struct SearchOptions {
  BatchMode batch = BatchMode::kMax;
  // kSearch only: sweep the whole grid of batch sizes and replica counts instead of pruning it.
  // The options found are the same.
  bool exhaustive = false;
  int num_threads = 0;  // 0: one per processor
  ProgressCallback progress;
};

struct SearchResult {
  std::vector<LineOutcome> lines;  // in the order of Problem::lines
  // kSearch: candidates (M, r) swept, and those among them whose metrics at total/r meet the
  // targets. Backends may sweep different numbers of candidates; the lines found are the same.
  std::int64_t candidates_swept = 0;
  std::int64_t candidates_passed = 0;
  std::int64_t batches_sized = 0;  // kSearch: batch sizes whose rate was searched
};

struct Availability {
  bool usable = false;
  std::string reason;  // what it runs on, or why it cannot
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual Availability availability() const = 0;
  // Throws Error (kUnavailable) if the backend is not usable.
  [[nodiscard]] virtual SearchResult search(const Problem& problem,
                                            const SearchOptions& options) const = 0;
  // Computes the metrics of every candidate of some grid lines (see plan_grid), block by block.
  // `grid` must outlive the call. An exception of the consumer ends the work and is passed on.
  // Throws Error (kUnavailable) if the backend has no table mode.
  virtual void table(const Problem& problem, std::span<const GridLine> grid,
                     const GridOptions& options, const GridConsumer& consumer) const;
  // Finds the points of some grid lines that may be on a frontier, as ColumnThinner keeps them.
  // Where `wanted` asks for a percentile, `options.percentiles` must be set. This default derives
  // them from table(); a backend with a faster way gives the same points. Exceptions as from
  // table().
  virtual void points(const Problem& problem, std::span<const GridLine> grid,
                      const GridOptions& options, const PointOptions& wanted,
                      const PointConsumer& consumer) const;
};

inline void Evaluator::table(const Problem&, std::span<const GridLine>, const GridOptions&,
                             const GridConsumer&) const {
  throw Error(ErrorCode::kUnavailable, "backend " + std::string(name()) + " has no table mode");
}

// The rows of a grid line from `first` on.
struct RestOfLine {
  std::int64_t ordinal;  // of the line in the grid
  std::int64_t first;
};

// Fills these rows by `evaluator` and hands them to the consumer as blocks of the whole grid. The
// numbers are those of lines filled from the start. Progress counts only the lines asked for here.
void fill_rest(const Evaluator& evaluator, const Problem& problem, std::span<const GridLine> grid,
               std::span<const RestOfLine> rest, const GridOptions& options,
               const GridConsumer& consumer);
// Finds the points of these lines, given by ordinal in the grid, as fill_rest() fills rows.
void find_points(const Evaluator& evaluator, const Problem& problem, std::span<const GridLine> grid,
                 std::span<const std::int64_t> ordinals, const GridOptions& options,
                 const PointOptions& wanted, const PointConsumer& consumer);

}  // namespace tonnage
