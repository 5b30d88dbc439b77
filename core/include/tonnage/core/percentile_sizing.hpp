// Sizing of one replica whose TTFT target binds a percentile. Host and device code.
// Owns: how such a target is held against the tail of the wait.
#pragma once

#include "tonnage/core/sizing.hpp"
#include "tonnage/core/wait_kernel.hpp"

namespace tonnage {

// One pair at one rate with a target on a percentile of TTFT beside those on averages: it holds
// where few enough requests wait longer than what prefill and the first decode leave of it.
struct PercentileEvaluator : SteppedPair {
  double ttft_ms;
  double allowed;  // share of requests that may exceed it

  TONNAGE_HD QueueMetrics averages(double rate) const {
    return evaluate_queue(shape.service, shape.max_batch, shape.max_queue, rate);
  }
  TONNAGE_HD TargetPoint<double> at(const QueueMetrics& m) const {
    const ServiceSegment s = segment_at(m.in_service);
    const RatePoint<double> r{m.in_service, m.throughput_per_ms, m.wait_ms, m.service_ms,
                              m.drop_probability};
    TargetPoint<double> point =
        compare_with_targets(r, shape.service.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms,
                             shape.service.out_tokens, inv_target);
    const double prefill =
        prefill_time(shape.service.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms, m.in_service);
    const double fixed = prefill + (m.service_ms - prefill) / shape.service.out_tokens;
    const double beyond =
        compute_wait_tail(m, shape.max_queue, lane_max(0.0, ttft_ms - fixed)).survival / allowed;
    point.excess = lane_max(point.excess, lane_max(beyond, fixed / ttft_ms) - 1);
    return point;
  }
  TONNAGE_HD TargetPoint<double> operator()(double rate) const { return at(averages(rate)); }
};

// size_pair() of a pair whose TTFT target binds a percentile. `Evaluate` is PercentileEvaluator or
// derived from it.
template <class Evaluate>
TONNAGE_HD RateSearch<double> size_percentile(const QueueShape& q, const LatencyTargets& targets,
                                              bool has_tps_target) {
  const double chunks_at_1 = chunk_count(q.service, 1.0);
  const double chunks_at_m = chunk_count(q.service, static_cast<double>(q.max_batch));
  const RateRange range = rate_range(q, has_tps_target, chunks_at_1, chunks_at_m);
  RateSearch<double> result{};
  if (!(range.low_per_ms <= range.high_per_ms)) return result;
  const Evaluate evaluate{
      {{q, inverse_targets(targets), 0.0}, targets.ttft_ms, 1 - targets.ttft_percentile / 100}};
  return search_uneven(evaluate, range, RateGuess<double>{0.0, 0.0}, chunks_at_1, chunks_at_m);
}

}  // namespace tonnage
