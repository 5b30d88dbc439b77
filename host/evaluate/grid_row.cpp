// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Decides the verdicts of one row of the grid from its metrics where rounding cannot matter. Sizing
// decides the other rows (grid_table.cpp).
#include "host/evaluate/grid_row.hpp"

#include <algorithm>

#include "tonnage/core/percentile_sizing.hpp"

namespace tonnage {
namespace {

// Sizing and metrics round differently. Within this relative margin of a bound, sizing decides.
constexpr double kMargin = 1e-6;
// Drop probabilities below this do not change goodput by a bit.
constexpr double kNoDrops = 1e-17;

enum class Holds { kNo, kUnsure, kYes };

Holds within(double figure, double bound) {
  if (figure > bound * (1 + kMargin)) return Holds::kNo;
  return figure < bound * (1 - kMargin) ? Holds::kYes : Holds::kUnsure;
}

class RowJudge {
 public:
  RowJudge(const ServerRow& server, const PerfRow& perf, const TabledLine& line,
           const GridRow& row)
      : targets_(server.targets),
        line_(line),
        row_(row),
        shape_(queue_shape(server, perf, row.batch)) {}

  // Whether all targets hold with the j-th replica count.
  [[nodiscard]] Holds at(std::int64_t j) const {
    // Below the range the targets are tested at its low end.
    if (within(row_.rate[j], line_.sweep.rate_low_per_ms) != Holds::kNo) return Holds::kUnsure;
    Holds all = within(row_.rate[j] * line_.inv_mu[row_.batch], line_.rate_share);
    const auto hold = [&](double figure, double target) {
      if (target > 0) all = std::min(all, within(figure, target));
    };
    hold(row_.itl_ms[j], targets_.itl_ms);
    hold(row_.response_ms[j], targets_.e2e_ms);
    hold(row_.drop[j], targets_.drop);
    if (!targets_.binds_percentile()) {
      hold(row_.ttft_ms[j], targets_.ttft_ms);
    } else if (all != Holds::kNo) {
      all = std::min(all, percentile_at(j));
    }
    return all == Holds::kYes && row_.drop[j] > kNoDrops ? Holds::kUnsure : all;
  }

  // Whether every lower load than that of the j-th replica count holds too. All latencies except
  // ITL rise with the load. Between two loads ITL is at most (service at the higher load - prefill
  // at the lower one) / m.
  [[nodiscard]] bool below(std::int64_t j) const {
    if (!(targets_.itl_ms > 0) ||
        is_plain_pair(shape_, line_.chunks[1], line_.chunks[row_.batch])) {
      return true;
    }
    const double most = line_.out_tokens * targets_.itl_ms;
    const double low = line_.sweep.rate_low_per_ms;
    const double at_low =
        SteppedPair{shape_, {}, 0.0}.prefill_ms(averages_at(shape_, low).in_service);
    for (;; ++j) {
      const bool last = j + 1 == row_.count || row_.rate[j + 1] < low;
      const double prefill = last ? at_low : row_.prefill_ms[j + 1];
      if (!(row_.response_ms[j] - row_.wait_ms[j] - prefill <= most)) return false;
      if (last) return true;
    }
  }

 private:
  [[nodiscard]] Holds percentile_at(std::int64_t j) const {
    const double fixed = row_.prefill_ms[j] + row_.itl_ms[j];
    const Holds alone = within(fixed, targets_.ttft_ms);
    if (alone != Holds::kYes) return alone;
    const double allowed = 1 - targets_.ttft_percentile / 100;
    // If almost no request waits, the percentile needs no sum over the waiting room.
    const double places = static_cast<double>(shape_.max_queue);
    const double load = row_.load[j];
    const double waits =
        row_.wait_weight[j] * (load < 1 ? std::min(places, 1 / (1 - load)) : places);
    if (within(waits, allowed) == Holds::kYes) return Holds::kYes;
    const QueueMetrics wait =
        metrics_of_wait(row_.wait_weight[j], load, line_.inv_mu[row_.batch]);
    return within(compute_wait_tail(wait, shape_.max_queue, targets_.ttft_ms - fixed).survival,
                  allowed);
  }

  const LatencyTargets& targets_;
  const TabledLine& line_;
  const GridRow& row_;
  QueueShape shape_;
};

}  // namespace

std::optional<std::int64_t> needed_by_row(const ServerRow& server, const PerfRow& perf,
                                          const TabledLine& line, const GridRow& row) {
  const RowJudge judge(server, perf, line, row);
  for (std::int64_t j = 0; j < row.count; ++j) {
    const Holds holds = judge.at(j);
    if (holds == Holds::kNo) continue;
    if (holds == Holds::kUnsure || !judge.below(j)) return {};
    return static_cast<std::int64_t>(row.replicas[j]);
  }
  return -1;
}

}  // namespace tonnage
