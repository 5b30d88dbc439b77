// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizing of one replica whose TTFT target binds a percentile. Owns: the test of such a target
// against the tail of the wait. Host and device code.
#pragma once

#include "tonnage/core/sizing.hpp"
#include "tonnage/core/wait_kernel.hpp"

namespace tonnage {

// Tests one pair at one rate against a target on a percentile of TTFT and against targets on
// averages. The percentile holds if few enough requests wait longer than the target minus prefill
// and first decode.
struct PercentileEvaluator : SteppedEvaluator {
  double ttft_ms;
  double allowed;  // share of requests that may exceed it

  TONNAGE_HD TargetPoint<double> at(const RatePoint<double>& r) const {
    TargetPoint<double> point = SteppedEvaluator::at(r);
    const double prefill = prefill_within_service(prefill_ms(r.in_service), r.service_ms);
    const double fixed = prefill + (r.service_ms - prefill) / shape.service.out_tokens;
    const QueueMetrics wait = metrics_of_wait(r.wait_weight, r.load, inv_mu(shape.max_batch));
    const double beyond =
        compute_wait_tail(wait, shape.max_queue, lane_max(0.0, ttft_ms - fixed)).survival / allowed;
    point.excess = lane_max(point.excess, lane_max(beyond, fixed / ttft_ms) - 1);
    return point;
  }
  TONNAGE_HD TargetPoint<double> operator()(double rate) const { return at(averages(rate)); }
};

// PercentileEvaluator for a CPU: out of line, because the search evaluates at twenty places.
// `Where` keeps apart the copies compiled for different instruction sets.
template <class Where>
struct CalledPercentile : PercentileEvaluator {
  [[gnu::noinline]] RatePoint<double> averages(double rate) const {
    return PercentileEvaluator::averages(rate);
  }
  [[gnu::noinline]] TargetPoint<double> at(const RatePoint<double>& r) const {
    return PercentileEvaluator::at(r);
  }
  TargetPoint<double> operator()(double rate) const { return at(averages(rate)); }
};

// size_pair() of a pair whose TTFT target binds a percentile, given its 1/mu(n). `Evaluate` derives
// from PercentileEvaluator and adds no data.
template <class Evaluate>
TONNAGE_HD RateSearch<double> size_percentile(const QueueShape& q, const LatencyTargets& targets,
                                              bool has_tps_target, const InverseMu& inv_mu) {
  const double chunks_at_1 = chunk_count(q.service, 1.0);
  const double chunks_at_m = chunk_count(q.service, static_cast<double>(q.max_batch));
  const RateRange range = rate_range(q, has_tps_target, chunks_at_1, chunks_at_m);
  RateSearch<double> result{};
  if (!(range.low_per_ms <= range.high_per_ms)) return result;
  const Evaluate evaluate{{{{q, inverse_targets(targets), 0.0}, inv_mu},
                           targets.ttft_ms,
                           1 - targets.ttft_percentile / 100}};
  return search_uneven(evaluate, range, RateGuess<double>{0.0, 0.0}, chunks_at_1, chunks_at_m);
}

}  // namespace tonnage
