// Which batch size of a line has the largest goodput, and which is the first to reach a goodput,
// without sizing each of them. Owns: bounds on the goodput of all batch sizes at once.
//
// A pass of the recursion (see sizing_kernel.hpp) at one rate gives the averages of every batch
// size there. Three facts make bounds of them, whatever the targets:
//   - a batch size whose targets miss at a rate has its largest rate below it, and throughput rises
//     with the rate: goodput is below the throughput there;
//   - the drop probability rises with the rate: goodput is at most the top of the range less what
//     is dropped at any rate below;
//   - the low end of the range is the same for all batch sizes: one pass there tells which are
//     feasible at all.
// Sizing has the last word on every batch size that is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "tonnage/core/progress.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {

class GoodputSearch {
 public:
  // size_pair() at one batch size.
  using SizeBatch = std::function<RateSearch<double>(std::int64_t batch)>;

  struct Found {
    std::int64_t batch = 0;  // 0: none
    double goodput_per_ms = 0;
    double rate_per_ms = 0;
  };

  // Batch sizes 1 to line.max_batch. `inv_mu` is what fill_inverse_mu() makes; it outlives the
  // search.
  GoodputSearch(const QueueShape& line, const LatencyTargets& targets, bool has_tps_target,
                const double* inv_mu, SizeBatch size, ProgressCallback progress = {});

  // The batch size of the largest goodput, to kTie; none where no batch size is feasible.
  // `worthwhile` says of a goodput how much another batch size must reach to matter beside it.
  [[nodiscard]] Found best(const std::function<double(double)>& worthwhile);
  // The smallest batch size of at least this goodput (> 0).
  [[nodiscard]] Found first(double goodput_per_ms);

  // Goodputs that differ by less, relatively, are one: sizing itself is no finer.
  static constexpr double kTie = 1e-8;

  // Work done: batch sizes sized, passes over all of them.
  [[nodiscard]] std::int64_t num_sized() const { return static_cast<std::int64_t>(sized_.size()); }
  [[nodiscard]] std::int64_t num_passes() const { return passes_; }

 private:
  // The top of the rate range.
  [[nodiscard]] double top(std::int64_t batch) const {
    return share_ * (kRateHigh / inv_mu_[batch]);
  }
  void drop_infeasible(double low);
  // Lowers bounds by what holds at `rate`, of batch sizes 1 to `last` whose bound is `wanted` or
  // more.
  void pass(double rate, double wanted, std::int64_t last);
  [[nodiscard]] double bound_at(std::int64_t batch, const ChainSums<double>& chain, double rate);
  void bound_alike(std::int64_t from, const ChainSums<double>& chain, double rate,
                   std::int64_t last);
  [[nodiscard]] bool misses(const RatePoint<double>& point, std::int64_t batch);
  Found size(std::int64_t batch);
  void report(double wanted, std::int64_t last) const;
  // Of the batch sizes not sized with a bound of `wanted` or more: the one of the largest bound;
  // the one in the middle of those up to `last`. 0: none is left.
  [[nodiscard]] std::int64_t widest(double wanted) const;
  [[nodiscard]] std::int64_t middle(double wanted, std::int64_t last) const;

  QueueShape line_;
  LatencyTargets targets_;
  SteppedEvaluator evaluate_;
  double share_;  // top of the rate range over mu(M)
  const double* inv_mu_;
  SizeBatch size_;
  ProgressCallback progress_;
  std::vector<double> upper_;  // [N + 1]: bound on goodput; 0: infeasible or sized
  std::map<std::int64_t, Found> sized_;
  std::int64_t passes_ = 0;
};

}  // namespace tonnage
