// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The search over batch sizes of one line: the fewest replicas of any batch size, and the smallest
// batch size that needs no more. Owns: the pruning (latencies rise with the load, so fewer replicas
// never help), the order in which sizing settles the candidates that pass the sweep, and the limit
// beyond which bounds on goodput take over.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/base/parallel.hpp"
#include "host/evaluate/line_tables.hpp"
#include "host/evaluate/simd/kernels.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

struct SweepCounts {
  std::int64_t candidates = 0;  // (M, r) evaluated
  std::int64_t passed = 0;      // whose metrics at total/r meet the targets
  std::int64_t sized = 0;       // batch sizes whose rate was searched
};

// The replica counts that the exhaustive form sweeps.
struct ReplicaRange {
  std::int64_t first = 0;  // 0: the server's minimum, at least 1
  std::int64_t last = 0;   // 0: what the least feasible batch size needs
};

class BatchSearch {
 public:
  // `reciprocals` must reach the largest batch ceiling of the lines to come. `meter` counts batch
  // sizes.
  BatchSearch(const Kernels& kernels, const std::vector<double>& reciprocals, WorkMeter& meter)
      : kernels_(kernels), reciprocals_(reciprocals), meter_(meter) {}

  // `at_ceiling` is the line's outcome at its batch ceiling, which bounds the answer.
  [[nodiscard]] LineOutcome pruned(const ServerRow& server, const PerfRow& perf,
                                   const LineOutcome& at_ceiling, SweepCounts& counts);
  // As pruned(), by sweeping the whole grid of batch sizes and replica counts.
  [[nodiscard]] LineOutcome exhaustive(const ServerRow& server, const PerfRow& perf,
                                       const LineOutcome& at_ceiling, const ReplicaRange& range,
                                       SweepCounts& counts);

 private:
  void prepare(const ServerRow& server, const PerfRow& perf);
  [[nodiscard]] const TabledLine& line() const noexcept { return tables_.line(); }
  void sweep(const std::vector<std::int64_t>& replicas, SweepCounts& counts);
  // pruned() of a prepared line by sweeps; none if that would size too many batch sizes.
  [[nodiscard]] std::optional<LineOutcome> by_sweeps(const LineOutcome& at_ceiling,
                                                     SweepCounts& counts);
  // pruned() of a prepared line by bounds on the goodput of every batch size.
  [[nodiscard]] LineOutcome by_bounds(const LineOutcome& at_ceiling, SweepCounts& counts);
  // Fills need_ for some batch sizes by the plain search.
  void size_batches(const std::vector<std::int64_t>& batches);
  // Whether `batches` more batch sizes may be sized, and another sweep made.
  [[nodiscard]] bool affords(std::size_t batches) const;
  // Sizes one batch size by the single search, which decides.
  [[nodiscard]] LineOutcome size_exactly(std::int64_t batch) const;
  // Settles replica counts from..to with the results of the sweeps. Infeasible if none suffices;
  // none if the budget does not allow it.
  std::optional<LineOutcome> settle(std::int64_t from, std::int64_t to);
  // An upper bound of the answer: replicas of the ceiling, or of the best other batch size if the
  // ceiling is infeasible; 0 if no batch size is feasible. None if the budget does not allow it.
  std::optional<std::int64_t> most_replicas(const LineOutcome& at_ceiling, SweepCounts& counts);
  // The next count after `after` worth a sweep; more than `most` if there is none up to it.
  std::int64_t next_count(std::int64_t after, std::int64_t most, SweepCounts& counts);
  // The least count in (after, to] at which some unsized batch size passes, or 0. Sweeps packs of
  // spread counts.
  std::int64_t first_passing(std::int64_t after, std::int64_t to, SweepCounts& counts);

  const Kernels& kernels_;
  const std::vector<double>& reciprocals_;
  const ServerRow* server_ = nullptr;
  const PerfRow* perf_ = nullptr;
  WorkMeter& meter_;
  bool bounded_ = false;     // whether affords() has a limit
  std::int64_t sized_ = 0;   // batch sizes of the line so far
  std::int64_t sweeps_ = 0;  // of the line so far
  LineTables tables_;
  std::vector<double> goodput_;
  std::vector<std::int64_t> least_;  // [N + 1]: least replicas that pass the sweep
  std::vector<std::int64_t> need_;   // [N + 1]: replicas after sizing; 0 not sized, -1 infeasible
  std::vector<std::int64_t> pack_, replicas_;
};

}  // namespace tonnage
