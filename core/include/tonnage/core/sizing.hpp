// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizing of one replica: rate range, feasibility and the largest rate within SLO targets. Owns:
// which pairs a plain search answers, and the extra searches for the others (chunk counts that grow
// with the batch, ITL that falls with the rate). Host and device code.
#pragma once

#include <cstdint>

#include "tonnage/core/queueing.hpp"
#include "tonnage/core/sizing_kernel.hpp"

namespace tonnage {

// Targets for one replica; 0: no target.
struct LatencyTargets {
  double itl_ms = 0;
  double ttft_ms = 0;
  double ttft_percentile = 0;  // which percentile ttft_ms binds; 0: the average
  double e2e_ms = 0;           // response time: wait and service
  double drop = 0;             // drop probability

  [[nodiscard]] TONNAGE_HD bool binds_percentile() const {
    return ttft_ms > 0 && ttft_percentile > 0;
  }
};

// The queue of one (server, accelerator) pair at one batch size.
struct QueueShape {
  ServiceParams service;
  std::int64_t max_batch;  // M >= 1
  std::int64_t max_queue;  // Q >= 0
};

struct RateRange {
  double low_per_ms;
  double high_per_ms;
};

// [kRateLow * mu(1), kRateHigh * mu(M)], the upper end times kTpsShare under a TPS target. Empty
// (low > high) only for service times that grow a thousandfold from batch 1 to M.
TONNAGE_HD RateRange rate_range(const QueueShape& q, bool has_tps_target, double chunks_at_1,
                                double chunks_at_m) {
  const double m = static_cast<double>(q.max_batch);
  const double high = kRateHigh / inverse_mu(service_segment(q.service, chunks_at_m), 1.0 / m);
  const double low = kRateLow / inverse_mu(service_segment(q.service, chunks_at_1), 1.0);
  return {low, has_tps_target ? kTpsShare * high : high};
}
TONNAGE_HD RateRange rate_range(const QueueShape& q, bool has_tps_target) {
  return rate_range(q, has_tps_target, chunk_count(q.service, 1.0),
                    chunk_count(q.service, static_cast<double>(q.max_batch)));
}

// True if one search over a uniform chunk count answers the pair: the chunk count is the same at
// batch 1 and M, and ITL cannot fall as the rate rises. Over the whole range of X, service time
// grows by about (c+m)(M-1) delta and prefill by c M delta, so ITL may turn down only where
// m (M-1) is not well above c.
TONNAGE_HD bool is_plain_pair(const QueueShape& q, double chunks_at_1, double chunks_at_m) {
  const double growth = q.service.out_tokens * (static_cast<double>(q.max_batch) - 1);
  return chunks_at_1 == chunks_at_m && growth > 4 * chunks_at_m;
}

TONNAGE_HD bool is_plain_pair(const QueueShape& q) {
  return is_plain_pair(q, chunk_count(q.service, 1.0),
                       chunk_count(q.service, static_cast<double>(q.max_batch)));
}

// 1/target of every target on an average. A target on a percentile of TTFT is not among them.
TONNAGE_HD InverseTargets<double> inverse_targets(const LatencyTargets& t) {
  const bool has_ttft = t.ttft_ms > 0 && !t.binds_percentile();
  return {t.itl_ms > 0 ? 1.0 / t.itl_ms : 0.0, has_ttft ? 1.0 / t.ttft_ms : 0.0,
          t.e2e_ms > 0 ? 1.0 / t.e2e_ms : 0.0, t.drop > 0 ? 1.0 / t.drop : 0.0};
}

// What the search needs of a pair whose chunk count is `chunks` at every batch size.
TONNAGE_HD SizingLanes<double> sizing_lanes(const QueueShape& q, const LatencyTargets& targets,
                                            const RateRange& range, double chunks) {
  const ServiceSegment s = service_segment(q.service, chunks);
  SizingLanes<double> l;
  l.alpha_ms = q.service.alpha_ms;
  l.delta_ms = s.delta_ms;
  l.chunks = s.chunks;
  l.prefill_work_ms = s.prefill_work_ms;
  l.inv_mu_slope_ms = s.inv_mu_slope_ms;
  l.inv_mu_base_ms = s.inv_mu_base_ms;
  l.out_tokens = q.service.out_tokens;
  l.max_batch = static_cast<double>(q.max_batch);
  l.max_queue = static_cast<double>(q.max_queue);
  l.inv_target = inverse_targets(targets);
  l.rate_low = range.low_per_ms;
  l.rate_high = range.high_per_ms;
  return l;
}

// 1/mu(n) = slope * table[n] + base. With one chunk count the table holds 1/n. With several it
// comes from fill_inverse_mu(), slope is 1 and base is 0, which changes no bit.
struct InverseMu {
  double slope, base;
  const double* table;
  TONNAGE_HD double operator()(std::int64_t n) const { return lane_fma(slope, table[n], base); }
};

// Runs the chain of one pair at one rate. inv_mu(n) is called with n ascending.
template <class GetInverseMu>
TONNAGE_HD ChainSums<double> run_chain(double rate, std::int64_t max_batch, GetInverseMu&& inv_mu) {
  ChainSums<double> c{1.0, 1.0, 0.0};
  const double big_m = static_cast<double>(max_batch);
  std::int64_t n = 1;
  while (n <= max_batch) {
    const std::int64_t stop = n + kChainBlock - 1 < max_batch ? n + kChainBlock - 1 : max_batch;
    double q = 0;
    for (; n <= stop; ++n) {
      q = rate * inv_mu(n);
      c.weight *= q;
      c.sum += c.weight;
      c.moment = lane_fma(static_cast<double>(n), c.weight, c.moment);
    }
    if (!chain_block_end(c, q, stop, big_m)) break;
  }
  return c;
}

// Averages at one rate of the range, without a table. O(1) at the low end of the range, because
// states beyond the first block have no weight there.
TONNAGE_HD RatePoint<double> averages_at(const QueueShape& shape, double rate) {
  const ServiceParams& p = shape.service;
  SegmentWalk walk{p};
  const ChainSums<double> c = run_chain(rate, shape.max_batch, [&](std::int64_t n) {
    const auto batch = static_cast<double>(n);
    return inverse_mu(walk.at(batch), 1.0 / batch);
  });
  const double big_m = static_cast<double>(shape.max_batch);
  const ServiceSegment full = service_segment(p, chunk_count(p, big_m));
  return close_chain(c, rate, rate * inverse_mu(full, 1.0 / big_m), big_m,
                     static_cast<double>(shape.max_queue));
}

// One pair whose chunk count may grow with the batch. `forced_chunks` > 0 fixes the chunk count of
// the prefill, which gives the left limit where the count is about to grow.
struct SteppedPair {
  QueueShape shape;
  InverseTargets<double> inv_target;
  double forced_chunks;

  // Service at a mean number of requests in service.
  TONNAGE_HD ServiceSegment segment_at(double in_service) const {
    const double big_m = static_cast<double>(shape.max_batch);
    double batch = std::floor(in_service + 0.5);
    batch = batch < 1 ? 1 : (batch > big_m ? big_m : batch);
    const double c = forced_chunks > 0 ? forced_chunks : chunk_count(shape.service, batch);
    return service_segment(shape.service, c);
  }
  TONNAGE_HD double prefill_ms(double in_service) const {
    const ServiceSegment s = segment_at(in_service);
    return prefill_time(shape.service.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms,
                        in_service);
  }
};

// Evaluates a stepped pair at one rate of its range: the averages there, and the excess over the
// targets. at() may be called several times for the same averages with different `forced_chunks`.
struct SteppedEvaluator : SteppedPair {
  InverseMu inv_mu;

  TONNAGE_HD RatePoint<double> averages(double rate) const {
    return close_chain(run_chain(rate, shape.max_batch, inv_mu), rate,
                       rate * inv_mu(shape.max_batch), static_cast<double>(shape.max_batch),
                       static_cast<double>(shape.max_queue));
  }
  TONNAGE_HD TargetPoint<double> at(const RatePoint<double>& r) const {
    const ServiceSegment s = segment_at(r.in_service);
    return compare_with_targets(r, shape.service.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms,
                                shape.service.out_tokens, inv_target);
  }
  TONNAGE_HD TargetPoint<double> operator()(double rate) const { return at(averages(rate)); }
};

// Relative excess of the mean number in service over a level. It rises with the rate.
template <class Evaluate>
struct OccupancyEvaluator {
  const Evaluate& evaluate;
  double level;
  TONNAGE_HD TargetPoint<double> operator()(double rate) const {
    const auto averages = evaluate.averages(rate);
    return {averages.in_service / level - 1.0, averages.throughput_per_ms, averages.in_service};
  }
};

// Rate search without a guess: it starts in the middle of the range.
template <class Evaluate>
TONNAGE_HD RateSearch<double> search_between(const Evaluate& evaluate, double low, double high) {
  return search_rate(evaluate, low, high, RateGuess<double>{0.0, 0.0});
}

inline constexpr int kSteppedJumps = 64;
inline constexpr int kHumpSamples = 64;
inline constexpr int kItlAttempts = 4;

// True if the search quickly finds a rate with at least `level` requests in service at which the
// targets hold with the chunk count before the jump. The targets then hold at the jump too, because
// latencies rise with the rate while the count is fixed.
template <class Evaluate>
TONNAGE_HD bool holds_beyond(const Evaluate& before, double level,
                             const RateSearch<double>& found) {
  double rate = found.rate_per_ms * (level / found.in_service);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TargetPoint<double> point = before(rate);
    if (point.in_service >= level) return point.excess <= 0;
    rate *= 1.01 * level / point.in_service;
    if (!(rate < found.rate_per_ms)) return false;
  }
  return false;
}

// Where the chunk count grows, prefill jumps up and ITL jumps down, so a target may be missed just
// before a jump and hold again after it. Visits the jumps below `found` in order (at most
// kSteppedJumps of them) and returns the first point beyond which a target is missed. `may_turn`:
// ITL may fall as the rate rises while the count is fixed.
template <class Evaluate>
TONNAGE_HD RateSearch<double> search_before_jumps(const Evaluate& evaluate, double low,
                                                  const RateSearch<double>& found, bool may_turn) {
  const ServiceParams& p = evaluate.shape.service;
  RateSearch<double> at_piece_start{};
  at_piece_start.rate_per_ms = low;
  double chunks = chunk_count(p, 1.0);
  if (!(max_batch_at_chunks(p, chunks) + 0.5 < found.in_service)) return found;
  const auto averages_at_found = evaluate.averages(found.rate_per_ms);
  for (int jump = 0; jump < kSteppedJumps; ++jump) {
    const double level = max_batch_at_chunks(p, chunks) + 0.5;
    if (!(level < found.in_service)) break;
    Evaluate before = evaluate;
    before.forced_chunks = chunks;
    chunks = chunk_count(p, level + 0.5);
    // If another target binds than the one that jumps, the averages at `found` settle all jumps.
    if (!may_turn && before.at(averages_at_found).excess <= 0) continue;
    if (holds_beyond(before, level, found)) continue;
    const RateSearch<double> at_jump =
        search_between(OccupancyEvaluator<Evaluate>{evaluate, level}, at_piece_start.rate_per_ms,
                       found.rate_per_ms);
    if (before(at_jump.rate_per_ms).excess > kTargetTolerance) {
      RateSearch<double> inside =
          search_between(before, at_piece_start.rate_per_ms, at_jump.rate_per_ms);
      if (!inside.feasible) inside = at_piece_start;
      inside.feasible = true;
      inside.excess_at_low = found.excess_at_low;
      return inside;
    }
    at_piece_start = at_jump;
  }
  return found;
}

// True if a few evaluations prove that ITL holds at every rate from `low` to `high`. Between two
// rates ITL is at most (service at the upper rate - prefill at the lower rate) / m, since both rise
// with the rate. All other latencies rise with the rate, so holding at `high` is enough for them.
template <class Evaluate>
TONNAGE_HD bool itl_surely_holds(const Evaluate& evaluate, double low, double high) {
  const double inv_itl = evaluate.inv_target.itl;
  if (!(inv_itl > 0)) return true;
  const double most = evaluate.shape.service.out_tokens / inv_itl;
  const double service_at_high = evaluate.averages(high).service_ms;
  double prefill = evaluate.prefill_ms(evaluate.averages(low).in_service);
  double from = low, to = high;
  for (int attempt = 0; !(service_at_high - prefill <= most); ++attempt) {
    if (attempt == kItlAttempts) return false;
    to = 0.5 * (from + to);
    const auto middle = evaluate.averages(to);
    if (!(middle.service_ms - prefill <= most)) continue;
    prefill = evaluate.prefill_ms(middle.in_service);
    from = to;
    to = high;
  }
  return true;
}

// Where ITL may fall, a hump above the target may lie between two feasible ends. Samples the range
// below `found`, refines the highest sample, and searches the rising side of a hump.
template <class Evaluate>
TONNAGE_HD RateSearch<double> search_before_hump(const Evaluate& evaluate, double low,
                                                 const RateSearch<double>& found) {
  const double width = found.rate_per_ms - low;
  double previous = low;
  double top_left = low, top_right = low, top_excess = -1;
  for (int i = 1; i < kHumpSamples; ++i) {
    const double share = static_cast<double>(i) / kHumpSamples;
    const double rate = low + width * share * share;  // denser where the chain is emptiest
    const double excess = evaluate(rate).excess;
    const double next_share = static_cast<double>(i + 1) / kHumpSamples;
    if (excess > top_excess) {
      top_excess = excess;
      top_left = previous;
      top_right = low + width * next_share * next_share;
    }
    if (excess > kTargetTolerance) {
      RateSearch<double> inside = search_between(evaluate, previous, rate);
      inside.excess_at_low = found.excess_at_low;
      return inside;
    }
    previous = rate;
  }
  const double golden = 0.6180339887498949;
  double a = top_left, b = top_right;
  for (int i = 0; i < 40 && top_excess > -0.05; ++i) {
    const double x = b - golden * (b - a), y = a + golden * (b - a);
    const double fx = evaluate(x).excess, fy = evaluate(y).excess;
    const double top = fx > fy ? x : y;
    if (lane_max(fx, fy) > kTargetTolerance) {
      RateSearch<double> inside = search_between(evaluate, top_left, top);
      inside.excess_at_low = found.excess_at_low;
      return inside;
    }
    if (fx > fy)
      b = y;
    else
      a = x;
  }
  return found;
}

// The search for pairs whose chunk counts may grow and whose ITL may fall. For a plain pair it is
// search_rate() alone. `evaluate` is a SteppedPair with averages(rate), at(averages) and
// operator()(rate).
template <class Evaluate>
TONNAGE_HD RateSearch<double> search_uneven(const Evaluate& evaluate, const RateRange& range,
                                            const RateGuess<double>& guess, double chunks_at_1,
                                            double chunks_at_m) {
  const QueueShape& q = evaluate.shape;
  RateSearch<double> result = search_rate(evaluate, range.low_per_ms, range.high_per_ms, guess);
  if (!result.feasible) return result;
  if (itl_surely_holds(evaluate, range.low_per_ms, result.rate_per_ms)) return result;
  const double growth = q.service.out_tokens * (static_cast<double>(q.max_batch) - 1);
  const bool may_turn = growth <= 4 * chunks_at_m;
  if (chunks_at_1 != chunks_at_m) {
    result = search_before_jumps(evaluate, range.low_per_ms, result, may_turn);
  }
  if (may_turn) result = search_before_hump(evaluate, range.low_per_ms, result);
  return result;
}

// Largest rate of the range up to which every target holds throughout, with the goodput there.
// O(M) per pass, about ten passes. `inv_mu` is what fill_inverse_mu() makes, not needed for a plain
// pair. A target on a percentile is not looked at: see size_pair().
TONNAGE_HD RateSearch<double> size_rate(const QueueShape& q, const LatencyTargets& targets,
                                        bool has_tps_target, const double* inv_mu) {
  const double chunks_at_1 = chunk_count(q.service, 1.0);
  const double chunks_at_m = chunk_count(q.service, static_cast<double>(q.max_batch));
  const RateRange range = rate_range(q, has_tps_target, chunks_at_1, chunks_at_m);
  RateSearch<double> result{};
  if (!(range.low_per_ms <= range.high_per_ms)) {
    result.feasible = false;
    return result;
  }
  const SizingLanes<double> lanes = sizing_lanes(q, targets, range, chunks_at_1);
  if (is_plain_pair(q, chunks_at_1, chunks_at_m)) {
    const UniformEvaluator<double, DividedReciprocal> evaluate{lanes, {}};
    return search_rate(evaluate, range.low_per_ms, range.high_per_ms, guess_rate(lanes));
  }
  const SteppedEvaluator evaluate{{q, lanes.inv_target, 0.0}, {1.0, 0.0, inv_mu}};
  return search_uneven(evaluate, range, guess_rate(lanes), chunks_at_1, chunks_at_m);
}

// size_rate() for host code, percentile targets included: whether one holds takes one evaluation of
// the tail of the wait, at target - prefill - ITL.
[[nodiscard]] RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                                           bool has_tps_target);
// The same with a table that fill_inverse_mu() has made, up to shape.max_batch at least.
[[nodiscard]] RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                                           bool has_tps_target, const double* inv_mu);

}  // namespace tonnage
