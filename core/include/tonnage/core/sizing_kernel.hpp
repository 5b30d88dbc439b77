// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The rate search: the largest rate of one replica within its targets, written once for a single
// pair, a SIMD pack of pairs and a GPU thread. Owns: the division-free chain inside the rate range,
// the closed form of the waiting room, and the root search. Every lane takes the same steps
// whatever its neighbours do, so an answer does not depend on how pairs are packed.
#pragma once

#include <cstdint>

#include "tonnage/core/lanes.hpp"
#include "tonnage/core/queueing.hpp"

namespace tonnage {

// Bounds of the rate range at batch size M: [kRateLow * mu(1), kRateHigh * mu(M)].
inline constexpr double kRateLow = 0.001;
inline constexpr double kRateHigh = 0.999;
// With a TPS target the rate is also at most this share of the high end.
inline constexpr double kTpsShare = 0.9;
// A latency counts as within its target up to this relative excess.
inline constexpr double kTargetTolerance = 1e-9;
// The search stops at this relative distance from the target or relative width of the bracket.
inline constexpr double kTargetPrecision = 1e-10;
inline constexpr double kRatePrecision = 1e-12;
inline constexpr double kGuessOvershoot = 1.5;

// Unnormalised chain after n states: weight of state n, sum of weights, sum of n * weight.
template <class V>
struct ChainSums {
  V weight;
  V sum;
  V moment;
};

// Source of 1/n: the exact division, or a table of the same values where many lanes share it.
struct DividedReciprocal {
  TONNAGE_HD double operator()(std::int64_t n) const { return 1.0 / static_cast<double>(n); }
};
struct TabledReciprocal {
  const double* table;  // table[n] = 1.0 / n
  TONNAGE_HD double operator()(std::int64_t n) const { return table[n]; }
};

inline constexpr std::int64_t kChainBlock = 16;

// Call at the end of each block of kChainBlock states. Scaling by a power of two is exact. A lane
// whose weight is below 2^-100 of the sum and still falling (q < 1) is cut to zero: the rest cannot
// change the rounded sums, and the cost then follows the load, not the batch size. Returns false
// when no lane needs further states.
template <class V>
TONNAGE_HD bool chain_block_end(ChainSums<V>& c, const V& q, std::int64_t n, const V& max_batch) {
  const auto big = c.sum > V(0x1p256);
  if (lane_any(big)) {
    const V factor = lane_select(big, V(0x1p-256), V(1.0));
    c.weight = c.weight * factor;
    c.sum = c.sum * factor;
    c.moment = c.moment * factor;
  }
  const auto running = V(static_cast<double>(n)) < max_batch;
  const auto faded = (c.weight < c.sum * V(0x1p-100)) & (q < V(1.0)) & running;
  c.weight = lane_select(faded, V(0.0), c.weight);
  return lane_any((c.weight > V(0.0)) & running);
}

// Chain of lanes with one chunk count each at every batch size: 1/mu(n) = slope/n + base. Lanes
// stop at their own max_batch.
template <class V, class Reciprocal>
TONNAGE_HD ChainSums<V> run_uniform_chain(const V& rate, const V& slope, const V& base,
                                          const V& max_batch, Reciprocal reciprocal) {
  const V rate_slope = rate * slope;
  const V rate_base = rate * base;
  const auto shortest = static_cast<std::int64_t>(lane_lowest(max_batch));
  const auto longest = static_cast<std::int64_t>(lane_highest(max_batch));
  ChainSums<V> c{V(1.0), V(1.0), V(0.0)};
  std::int64_t n = 1;
  while (n <= longest) {
    const std::int64_t stop = n + kChainBlock - 1 < longest ? n + kChainBlock - 1 : longest;
    V q = V(0.0);
    if (stop <= shortest) {
      for (; n <= stop; ++n) {
        q = lane_fma(rate_slope, V(reciprocal(n)), rate_base);
        c.weight = c.weight * q;
        c.sum = c.sum + c.weight;
        c.moment = lane_fma(V(static_cast<double>(n)), c.weight, c.moment);
      }
    } else {
      for (; n <= stop; ++n) {
        const auto active = V(static_cast<double>(n)) <= max_batch;
        q = lane_fma(rate_slope, V(reciprocal(n)), rate_base);
        const V next = c.weight * q;
        const V added = lane_select(active, next, V(0.0));
        c.weight = lane_select(active, next, c.weight);
        c.sum = c.sum + added;
        c.moment = lane_fma(V(static_cast<double>(n)), added, c.moment);
      }
    }
    if (stop == longest) break;
    if (!chain_block_end(c, q, stop, max_batch)) break;
  }
  return c;
}

template <class V>
struct RatePoint {
  V in_service;
  V throughput_per_ms;
  V wait_ms;
  V service_ms;
  V drop_probability;
  V load;         // rate/mu(M)
  V wait_weight;  // as in QueueMetrics
};

// q^count for lanes of whole counts, by squaring.
template <class V>
TONNAGE_HD V lane_power(V base, V count) {
  V result = V(1.0);
  const V magic = V(0x1p52);
  while (lane_any(count > V(0.0))) {
    const V half = ((count * V(0.5) - V(0.25)) + magic) - magic;
    const auto odd = (count - half - half) > V(0.5);
    result = lane_select(odd, result * base, result);
    base = base * base;
    count = half;
  }
  return result;
}

// Averages of the chain closed by a waiting room of max_queue places, for q = rate/mu(M) < 1
// (docs/model.md). With e = 1 - q, the products e * T0 and e^2 * T1 are formed without
// division.
template <class V>
TONNAGE_HD RatePoint<V> close_chain(const ChainSums<V>& c, const V& rate, const V& q,
                                    const V& max_batch, const V& max_queue) {
  const V inverse_sum = V(1.0) / c.sum;
  const V a = c.weight * inverse_sum;
  const V mean = c.moment * inverse_sum;
  const V e = V(1.0) - q;
  const V q_power = lane_power(q, max_queue);
  const V t0 = q - q * q_power;
  const V t1 = t0 - max_queue * q_power * q * e;
  // With no waiting room the sums are empty; q - q * 1 gives exactly 0 for both.
  const V z = e + a * t0;
  const V dropped = a * q_power * e;
  const V d = z - dropped;
  const V served = mean * e + max_batch * a * t0;
  const V per_accepted = V(1.0) / (rate * d);
  RatePoint<V> r;
  r.in_service = served / z;
  r.throughput_per_ms = rate * d / z;
  r.service_ms = served * per_accepted;
  r.wait_ms = a * t1 * per_accepted / e;
  r.drop_probability = dropped / z;
  r.load = q;
  r.wait_weight = a * e * (rate * per_accepted);
  return r;
}

// 1/target, 0 without a target.
template <class V>
struct InverseTargets {
  V itl;
  V ttft;
  V e2e;
  V drop;
};

// One pair (or a pack of pairs) as the search sees it.
template <class V>
struct SizingLanes {
  V alpha_ms;
  V delta_ms;
  V chunks;
  V prefill_work_ms;
  V inv_mu_slope_ms;
  V inv_mu_base_ms;
  V out_tokens;
  V max_batch;
  V max_queue;
  InverseTargets<V> inv_target;
  V rate_low;  // the rate range
  V rate_high;
};

template <class V>
struct TargetPoint {
  V excess;  // largest figure/target - 1; <= 0 when every target holds
  V throughput_per_ms;
  V in_service;
};

template <class V>
TONNAGE_HD TargetPoint<V> compare_with_targets(const RatePoint<V>& r, const V& alpha_ms,
                                               const V& delta_ms, const V& chunks,
                                               const V& prefill_work_ms, const V& out_tokens,
                                               const InverseTargets<V>& inv_target) {
  const V prefill = prefill_within_service(
      prefill_time(alpha_ms, delta_ms, chunks, prefill_work_ms, r.in_service), r.service_ms);
  const V itl = (r.service_ms - prefill) / out_tokens;
  const V ttft = r.wait_ms + prefill + itl;
  TargetPoint<V> t;
  const V latency = lane_max(itl * inv_target.itl, ttft * inv_target.ttft);
  const V whole =
      lane_max((r.wait_ms + r.service_ms) * inv_target.e2e, r.drop_probability * inv_target.drop);
  t.excess = lane_max(latency, whole) - V(1.0);
  t.throughput_per_ms = r.throughput_per_ms;
  t.in_service = r.in_service;
  return t;
}

// Evaluates lanes with a uniform chunk count at one rate each.
template <class V, class Reciprocal>
struct UniformEvaluator {
  SizingLanes<V> lanes;
  Reciprocal reciprocal;

  TONNAGE_HD TargetPoint<V> operator()(const V& rate) const {
    const ChainSums<V> c = run_uniform_chain(rate, lanes.inv_mu_slope_ms, lanes.inv_mu_base_ms,
                                             lanes.max_batch, reciprocal);
    const V inv_mu_m =
        lane_fma(lanes.inv_mu_slope_ms, V(1.0) / lanes.max_batch, lanes.inv_mu_base_ms);
    const RatePoint<V> r = close_chain(c, rate, rate * inv_mu_m, lanes.max_batch, lanes.max_queue);
    return compare_with_targets(r, lanes.alpha_ms, lanes.delta_ms, lanes.chunks,
                                lanes.prefill_work_ms, lanes.out_tokens, lanes.inv_target);
  }
};

template <class V>
struct RateSearch {
  V rate_per_ms;        // largest rate found at which the targets hold
  V throughput_per_ms;  // goodput: throughput at that rate
  V in_service;
  LaneMask<V> feasible;  // the targets hold at the low end
  V excess_at_low;
};

// Starting point of a search: a rate near the answer, and d log(rate) / d excess there. Any values
// are allowed; good ones save passes.
template <class V>
struct RateGuess {
  V rate_per_ms;
  V log_rate_per_excess;
};

// Mean-field guess of lanes with a uniform chunk count: all requests see the same batch B. Service
// time, prefill and ITL are then linear in B, and the rate is B / tau(B).
template <class V>
TONNAGE_HD RateGuess<V> guess_rate(const SizingLanes<V>& l) {
  const V prefill_slope = l.chunks * l.delta_ms;
  const V prefill_base = l.chunks * l.alpha_ms - prefill_slope + l.prefill_work_ms;
  const V itl_slope = (l.inv_mu_base_ms - prefill_slope) / l.out_tokens;
  const V itl_base = (l.inv_mu_slope_ms - prefill_base) / l.out_tokens;
  // Relative latencies: the one that reaches 1 at the smaller batch binds.
  const InverseTargets<V>& inverse = l.inv_target;
  const V itl_b = itl_slope * inverse.itl;
  const V ttft_b = (prefill_slope + itl_slope) * inverse.ttft;
  const V by_itl = (V(1.0) - itl_base * inverse.itl) / itl_b;
  const V by_ttft = (V(1.0) - (prefill_base + itl_base) * inverse.ttft) / ttft_b;
  const auto itl_binds = (inverse.itl > V(0.0)) & ((by_itl < by_ttft) == (inverse.ttft > V(0.0)));
  const V batch = lane_select(itl_binds, by_itl, by_ttft);
  const V slope = lane_select(itl_binds, itl_b, ttft_b);
  const V tau = l.inv_mu_slope_ms + l.inv_mu_base_ms * batch;
  return {batch / tau, l.inv_mu_slope_ms / (batch * tau * slope)};
}

// Maps latency/target - 1 to 1 - target/latency. The result is nearly linear in the rate where
// waiting grows like 1/(1 - load), and agrees to first order at the root.
template <class V>
TONNAGE_HD V straighten(const V& excess) {
  return excess / (V(1.0) + lane_max(excess, V(-0.99)));
}

// State of a search: x1 is the newest point, x2 the other end of the bracket, x3 the point dropped
// last, f their straightened excesses, t the next point as a share of the bracket.
template <class V>
struct SearchState {
  V x1, x2, x3, f1, f2, f3, t;
  V best_rate, best_throughput, best_in_service;
  V excess_at_low;
  V feasible;  // 1 or 0: the targets hold at the low end
  V open;      // 1 or 0: not settled yet
};

template <class V, class Evaluate>
TONNAGE_HD SearchState<V> begin_search(const Evaluate& evaluate, const V& low, const V& high) {
  const V tolerance = V(kTargetTolerance);
  const TargetPoint<V> at_low = evaluate(low);
  const TargetPoint<V> at_high = evaluate(high);
  const auto feasible = at_low.excess <= tolerance;
  const auto high_holds = at_high.excess <= tolerance;
  SearchState<V> s;
  s.x1 = s.x3 = high;
  s.x2 = low;
  s.f1 = s.f3 = straighten(at_high.excess);
  s.f2 = straighten(at_low.excess);
  s.t = V(0.5);
  s.best_rate = lane_select(high_holds, high, low);
  s.best_throughput = lane_select(high_holds, at_high.throughput_per_ms, at_low.throughput_per_ms);
  s.best_in_service = lane_select(high_holds, at_high.in_service, at_low.in_service);
  s.excess_at_low = at_low.excess;
  s.feasible = lane_select(feasible, V(1.0), V(0.0));
  s.open = lane_select(feasible & (at_high.excess > tolerance), V(1.0), V(0.0));
  return s;
}

// The rate to evaluate in pass number `pass`. The first two follow the guess, later ones the
// bracketing method of T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding
// the zero of a nonlinear function", Advances in Engineering Software 28 (1997).
template <class V>
TONNAGE_HD V next_rate(const SearchState<V>& s, const RateGuess<V>& guess, int pass) {
  const V x = s.x1 + s.t * (s.x2 - s.x1);
  if (pass >= 2) return x;
  // The second point lies beyond the root by the guessed slope: the bracket closes from both sides.
  const V guessed = pass == 0
                        ? guess.rate_per_ms
                        : s.x1 - s.x1 * (V(kGuessOvershoot) * s.f1 * guess.log_rate_per_excess);
  const auto inside = (guessed > lane_min(s.x1, s.x2)) & (guessed < lane_max(s.x1, s.x2));
  return lane_select(inside, guessed, V(0.5) * (s.x1 + s.x2));
}

template <class V, class Evaluate>
TONNAGE_HD void advance_search(SearchState<V>& s, const Evaluate& evaluate,
                               const RateGuess<V>& guess, int pass) {
  const V x = next_rate(s, guess, pass);
  const TargetPoint<V> point = evaluate(x);
  const V f = straighten(point.excess);
  const auto open = s.open > V(0.0);
  const auto improves = open & (f <= V(kTargetPrecision)) & (x > s.best_rate);
  s.best_rate = lane_select(improves, x, s.best_rate);
  s.best_throughput = lane_select(improves, point.throughput_per_ms, s.best_throughput);
  s.best_in_service = lane_select(improves, point.in_service, s.best_in_service);

  const auto same_side = (f > V(0.0)) == (s.f1 > V(0.0));
  s.x3 = lane_select(same_side, s.x1, s.x2);
  s.f3 = lane_select(same_side, s.f1, s.f2);
  s.x2 = lane_select(same_side, s.x2, s.x1);
  s.f2 = lane_select(same_side, s.f2, s.f1);
  s.x1 = x;
  s.f1 = f;

  const V width = lane_abs(s.x2 - s.x1);
  const V largest = lane_max(s.x1, s.x2);
  const auto goes_on =
      open & (lane_abs(f) > V(kTargetPrecision)) & (width > V(kRatePrecision) * largest);
  s.open = lane_select(goes_on, V(1.0), V(0.0));

  // An inverse quadratic step where it is safe, bisection elsewhere.
  const V xi = (s.x1 - s.x2) / (s.x3 - s.x2);
  const V phi = (s.f1 - s.f2) / (s.f3 - s.f2);
  const auto safe = (phi * phi < xi) & ((V(1.0) - phi) * (V(1.0) - phi) < V(1.0) - xi);
  const V step = s.f1 / (s.f2 - s.f1) * (s.f3 / (s.f2 - s.f3)) +
                 (s.x3 - s.x1) / (s.x2 - s.x1) * (s.f1 / (s.f3 - s.f1)) * (s.f2 / (s.f3 - s.f2));
  const V margin = V(0.5 * kRatePrecision) * largest / width;
  const V t = lane_select(safe, step, V(0.5));
  s.t = lane_min(lane_max(t, margin), V(1.0) - margin);
}

// Limit on the passes of a search. Bisection alone needs fewer than 100.
inline constexpr int kMostPasses = 200;

template <class V>
TONNAGE_HD RateSearch<V> end_search(const SearchState<V>& s) {
  RateSearch<V> result;
  result.rate_per_ms = s.best_rate;
  result.throughput_per_ms = s.best_throughput;
  result.in_service = s.best_in_service;
  result.feasible = s.feasible > V(0.0);
  result.excess_at_low = s.excess_at_low;
  return result;
}

// Largest rate of [low, high] at which excess <= 0, for an excess that changes sign at most once;
// where it jumps, the end of the bracket at which the targets hold.
template <class V, class Evaluate>
TONNAGE_HD RateSearch<V> search_rate(const Evaluate& evaluate, const V& low, const V& high,
                                     const RateGuess<V>& guess) {
  SearchState<V> s = begin_search(evaluate, low, high);
  for (int pass = 0; pass < kMostPasses && lane_any(s.open > V(0.0)); ++pass) {
    advance_search(s, evaluate, guess, pass);
  }
  return end_search(s);
}

}  // namespace tonnage
