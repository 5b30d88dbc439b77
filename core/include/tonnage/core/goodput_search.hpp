// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Finds the batch size of largest goodput of a line, and the smallest one that reaches a given
// goodput, without sizing every batch size. Owns: bounds on the goodput of all batch sizes at once.
//
// One pass of the recursion (see sizing_kernel.hpp) at one rate gives the averages of every batch
// size at that rate. Three facts turn them into bounds, for any targets. (1) If a batch size misses
// its targets at a rate, its largest rate is below that rate. Throughput rises with the rate, so
// goodput is below the throughput at that rate. (2) The drop probability rises with the rate, so
// goodput is at most the top of the range times the share accepted at any lower rate. (3) All batch
// sizes share the low end of the range, so one pass there shows which are feasible. Every batch
// size that is returned has been sized.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

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

  // Searches batch sizes 1 to line.max_batch. `inv_mu` comes from fill_inverse_mu() and must
  // outlive the search. `check` is called now and then during long work; its exceptions are passed
  // on.
  GoodputSearch(const QueueShape& line, const LatencyTargets& targets, bool has_tps_target,
                const double* inv_mu, SizeBatch size, std::function<void()> check = {});

  // The batch size of largest goodput, within kTie; none if no batch size is feasible. `worthwhile`
  // maps a goodput to the least goodput of another batch size that would matter to the caller.
  [[nodiscard]] Found best(const std::function<double(double)>& worthwhile);
  // The smallest batch size with at least this goodput (> 0).
  [[nodiscard]] Found first(double goodput_per_ms);

  // Goodputs within this relative distance count as equal, because sizing is no more precise.
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
  // Lowers the bounds of batch sizes 1 to `last` whose bound is at least `wanted`, by their
  // averages at `rate`.
  void pass(double rate, double wanted, std::int64_t last);
  [[nodiscard]] double bound_at(std::int64_t batch, const ChainSums<double>& chain, double rate);
  void bound_unfilled(std::int64_t from, const ChainSums<double>& chain, double rate,
                   std::int64_t last);
  [[nodiscard]] bool misses(const RatePoint<double>& point, std::int64_t batch);
  Found size(std::int64_t batch);
  // Among the unsized batch sizes with a bound of at least `wanted`: widest() is the one of the
  // largest bound, middle() the one in the middle of those up to `last`. 0: none is left.
  [[nodiscard]] std::int64_t widest(double wanted) const;
  [[nodiscard]] std::int64_t middle(double wanted, std::int64_t last) const;

  QueueShape line_;
  LatencyTargets targets_;
  SteppedEvaluator evaluate_;
  double share_;  // top of the rate range over mu(M)
  const double* inv_mu_;
  SizeBatch size_;
  std::function<void()> check_;
  std::vector<double> upper_;  // [N + 1]: bound on goodput; 0: infeasible or sized
  std::map<std::int64_t, Found> sized_;
  std::int64_t passes_ = 0;
};

}  // namespace tonnage
