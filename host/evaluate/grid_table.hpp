// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Fills the tables of grid lines on the CPU, one line after the other. Use one object per thread.
#pragma once

#include <vector>

#include "host/base/parallel.hpp"
#include "host/evaluate/line_tables.hpp"
#include "host/evaluate/simd/kernels.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

class TableFiller {
 public:
  // Holds about `block_bytes` of columns, at least one row. `reciprocals` must reach the largest
  // batch ceiling of the lines to come.
  TableFiller(const Problem& problem, const Kernels& kernels,
              const std::vector<double>& reciprocals, bool percentiles,
              std::int64_t block_bytes, WorkMeter& meter);

  // Computes the blocks of a line and hands them to the consumer in order.
  void fill(const GridLine& line, std::int64_t ordinal, const GridConsumer& consumer);

 private:
  void fill_idle(const GridLine& g, std::int64_t ordinal, const GridConsumer& consumer);
  // Fills need_ for the batch sizes of the block that begins at row `first`.
  void find_needs(const GridLine& g, std::int64_t first, std::int64_t num);
  // Fills need_ of the batch sizes in unsettled_ by sizing.
  void size_batches(const GridLine& g);
  // Fills rows `from` to `num` of the block that begins at row `first`, candidate by candidate.
  void fill_alone(const GridLine& g, std::int64_t first, std::int64_t from, std::int64_t num);
  // A percentile of TTFT of candidate i of the block.
  [[nodiscard]] double ttft_percentile(std::size_t i, std::int64_t batch, double probability) const;
  void fill_percentiles(const GridLine& g, std::int64_t first, std::int64_t num);
  void judge(const GridLine& g, std::int64_t first, std::int64_t num);
  [[nodiscard]] double& at(GridColumn column, std::size_t i) {
    return columns_[static_cast<std::size_t>(column)][i];
  }
  [[nodiscard]] double at(GridColumn column, std::size_t i) const {
    return columns_[static_cast<std::size_t>(column)][i];
  }
  void hand_over(const GridLine& g, std::int64_t ordinal, std::int64_t first, std::int64_t num,
                 const GridConsumer& consumer) const;

  const Problem& problem_;
  const Kernels& kernels_;
  const std::vector<double>& reciprocals_;
  WorkMeter& meter_;
  int num_columns_;
  std::int64_t block_candidates_;
  const ServerRow* server_ = nullptr;
  const PerfRow* perf_ = nullptr;
  LineTables tables_;
  TableLine table_{};
  ChainStore chain_store_;
  TableChains chains_{};
  std::vector<double> columns_[kNumGridColumns];
  std::vector<double> wait_weight_, load_;  // with percentiles only
  std::vector<Verdict> verdicts_;
  // By batch size: a sufficient replica count, the least one of the grid; -1 if none suffices.
  std::vector<std::int64_t> need_;
  std::vector<std::int64_t> unsettled_, batches_;
  std::vector<double> goodput_;
};

}  // namespace tonnage
