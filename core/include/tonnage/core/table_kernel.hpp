// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The metrics of every candidate of one line at any load, overload included. Owns: the averages of
// evaluate_queue() for all batch sizes in one pass, in lanes over replica counts.
#pragma once

#include <cstdint>

#include "tonnage/core/accelerator.hpp"
#include "tonnage/core/lanes.hpp"
#include "tonnage/core/queueing.hpp"
#include "tonnage/core/sizing_kernel.hpp"

namespace tonnage {

// Constants of a line that its metrics need beside the chain.
struct TableLine {
  double total_rate_per_ms;
  double alpha_ms;
  double out_tokens;
  std::int64_t max_queue;
  double instances_per_replica;
  double cost_per_replica;
  PowerCurve power;  // of one instance
};

// Candidates whose weights may leave the range of a double are evaluated alone instead. A block of
// kChainBlock states at load kMostTableLoad needs only one rescaling.
inline constexpr double kLeastTableWeight = 0x1p-900;
inline constexpr double kMostTableLoad = 0x1p15;

// geometric_sums() for lanes with one whole count.
template <class V>
struct LaneGeometricSums {
  V sum, weighted, power;
};
template <class V>
TONNAGE_HD LaneGeometricSums<V> lane_geometric_sums(const V& p, std::int64_t count) {
  LaneGeometricSums<V> s{V(0.0), V(0.0), V(1.0)};
  double n = 0;
  int bit = 62;
  while (bit >= 0 && ((count >> bit) & 1) == 0) --bit;
  for (; bit >= 0; --bit) {
    if (n > 0) {
      s.weighted = lane_fma(s.power, lane_fma(V(n), s.sum, s.weighted), s.weighted);
      s.sum = lane_fma(s.power, s.sum, s.sum);
      s.power = s.power * s.power;
      n += n;
    }
    if ((count >> bit) & 1) {
      s.weighted = lane_fma(V(n), s.power, s.weighted);
      s.sum = s.sum + s.power;
      s.power = s.power * p;
      n += 1;
    }
  }
  return s;
}

// Prefill of a line at a mean number in service: constants, or looked up by the caller.
template <class V>
struct TablePrefill {
  V chunks, delta_ms, work_ms;
};

template <class V>
struct TablePoint {
  V goodput_per_ms, drop, itl_ms, ttft_ms, wait_ms, prefill_ms, response_ms, rho;
  V wait_weight, wait_ratio;  // as in QueueMetrics
};

// Rate, chain and batch size of one pack of candidates after state M has been added.
template <class V>
struct TableState {
  ChainSums<V> chain;
  V sum_before;  // the sum of weights before state M
  V rate, inverse_rate;
  V q;  // rate/mu(M)
};

// Metrics of a pack at batch size M. prefill_at(X) gives TablePrefill. Unnormalised: everything is
// multiplied by the sum of weights of the chain without waiting room.
template <bool kHasRoom, class V, class PrefillAt>
TONNAGE_HD TablePoint<V> table_point(const TableLine& l, const TableState<V>& s, const V& batch,
                                     const V& inverse_batch, const V& inverse_out_tokens,
                                     const PrefillAt& prefill_at) {
  const ChainSums<V>& c = s.chain;
  TablePoint<V> p;
  V in_service, service;
  if constexpr (kHasRoom) {
    const V one(1.0), places(static_cast<double>(l.max_queue));
    const auto reversed = s.q > one;
    const V ratio = lane_select(reversed, one / s.q, s.q);
    const LaneGeometricSums<V> head = lane_geometric_sums(ratio, l.max_queue - 1);
    const V sum = head.sum + head.power;
    const V weighted = lane_fma(places - one, head.power, head.weighted);
    const V last = head.power * ratio;
    const V scale = lane_select(reversed, last, one);
    const V t0 = lane_select(reversed, sum, ratio * sum);
    const V t1 = lane_select(reversed, places * sum - weighted, ratio * (sum + weighted));
    const V scaled = scale * c.sum;
    const V z = lane_fma(c.weight, t0, scaled);
    const V d = lane_fma(c.weight, ratio * head.sum, scaled);
    const V served = lane_fma(batch, c.weight * t0, scale * c.moment);
    const V inverse = one / (z * d);
    const V inverse_z = d * inverse;
    const V inverse_d = z * inverse;
    const V per_accepted = s.inverse_rate * inverse_d;
    in_service = served * inverse_z;
    service = served * per_accepted;
    p.wait_ms = c.weight * t1 * per_accepted;
    p.goodput_per_ms = s.rate * (d * inverse_z);
    p.drop = c.weight * lane_select(reversed, one, last) * inverse_z;
    p.wait_weight = c.weight * inverse_d;
    p.wait_ratio = s.q;
  } else {
    // One division for 1/sum and 1/sum_before.
    const V inverse = V(1.0) / (c.sum * s.sum_before);
    const V inverse_sum = s.sum_before * inverse;
    in_service = c.moment * inverse_sum;
    service = (c.moment * s.inverse_rate) * (c.sum * inverse);
    p.wait_ms = V(0.0);
    p.goodput_per_ms = s.rate * (s.sum_before * inverse_sum);
    p.drop = c.weight * inverse_sum;
    p.wait_weight = V(0.0);
    p.wait_ratio = V(0.0);
  }
  const TablePrefill<V> f = prefill_at(in_service);
  p.prefill_ms = prefill_within_service(
      prefill_time(V(l.alpha_ms), f.delta_ms, f.chunks, f.work_ms, in_service), service);
  p.itl_ms = (service - p.prefill_ms) * inverse_out_tokens;
  p.ttft_ms = p.wait_ms + p.prefill_ms + p.itl_ms;
  p.response_ms = p.wait_ms + service;
  p.rho = lane_min(V(1.0), in_service * inverse_batch);
  return p;
}

// Power of one instance at utilisation rho, W.
template <class V>
TONNAGE_HD V table_power(const TableLine& l, const V& rho) {
  const V low = lane_fma(V(l.power.slope_low_w), rho, V(l.power.idle_w));
  const V high = lane_fma(V(l.power.slope_high_w), rho - V(l.power.mid_util), V(l.power.mid_w));
  return lane_select(rho > V(l.power.mid_util), high, low);
}

// Adds state n to a pack; `inv_mu` is 1/mu(n).
template <class V>
TONNAGE_HD void table_step(TableState<V>& s, const V& state, const V& inv_mu) {
  s.q = s.rate * inv_mu;
  s.sum_before = s.chain.sum;
  s.chain.weight = s.chain.weight * s.q;
  s.chain.sum = s.chain.sum + s.chain.weight;
  s.chain.moment = lane_fma(state, s.chain.weight, s.chain.moment);
}

}  // namespace tonnage
