// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The exhaustive sweep of one line: every batch size M = 1..N against many replica counts at once,
// O(1) a candidate. Owns: the division-free test of the metrics at total/r against the targets.
// Lanes are replica counts; the recursion over states runs through all batch sizes in one pass.
#pragma once

#include <cstdint>

#include "tonnage/core/lanes.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {

// The sweep's test is necessary for feasibility, not sufficient, since goodput may still fall short
// where requests are dropped. It is looser than sizing by this relative amount; sizing decides
// about the candidates that pass.
inline constexpr double kSweepTolerance = 1e-8;

// Mean prefill as the test needs it: max(0, base + slope * X) + work.
struct SweepPrefill {
  double base_ms;   // c (alpha - delta)
  double slope_ms;  // c delta
  double work_ms;   // w_prefill(c)
};

// One line as the constants of the test. The constant of an absent target is infinite. Where the
// chunk count grows with the batch, ITL is tested with the largest count and TTFT with the
// smallest: still necessary, a little looser.
struct SweepLine {
  double inv_mu_slope_ms;
  double inv_mu_base_ms;
  SweepPrefill itl_prefill;
  SweepPrefill ttft_prefill;
  double itl_room_ms;   // m * target
  double ttft_room_ms;  // m * target
  double e2e_room_ms;   // target
  double drop_room;     // target
  double wait_tokens;   // m; 0 where a percentile binds: the least TTFT has no wait
  double out_tokens;
  double total_rate_per_ms;
  double rate_low_per_ms;  // rates below the range are tested at its low end
  double full_load;        // largest rate/mu(M) of the range
  std::int64_t max_batch;  // N
  std::int64_t max_queue;  // Q
  bool has_extensions;     // a target on response time or drops
};

TONNAGE_HD SweepPrefill sweep_prefill(const ServiceParams& p, double chunks) {
  const ServiceSegment s = service_segment(p, chunks);
  return {chunks * (p.alpha_ms - s.delta_ms), chunks * s.delta_ms, s.prefill_work_ms};
}

TONNAGE_HD SweepLine sweep_line(const QueueShape& q, const LatencyTargets& targets,
                                bool has_tps_target, double total_rate_per_ms, double chunks_at_1,
                                double chunks_at_m) {
  const ServiceSegment s = service_segment(q.service, chunks_at_1);
  const double slack = 1 + kSweepTolerance;
  const double none = HUGE_VAL;
  const double m = q.service.out_tokens;
  SweepLine l;
  l.inv_mu_slope_ms = s.inv_mu_slope_ms;
  l.inv_mu_base_ms = s.inv_mu_base_ms;
  l.itl_prefill = sweep_prefill(q.service, chunks_at_m);
  l.ttft_prefill = sweep_prefill(q.service, chunks_at_1);
  l.itl_room_ms = targets.itl_ms > 0 ? m * targets.itl_ms * slack : none;
  l.ttft_room_ms = targets.ttft_ms > 0 ? m * targets.ttft_ms * slack : none;
  l.e2e_room_ms = targets.e2e_ms > 0 ? targets.e2e_ms * slack : none;
  l.drop_room = targets.drop > 0 ? targets.drop * slack : none;
  l.wait_tokens = targets.binds_percentile() ? 0.0 : m;
  l.out_tokens = m;
  l.total_rate_per_ms = total_rate_per_ms;
  l.rate_low_per_ms = kRateLow / inverse_mu(s, 1.0);
  l.full_load = kRateHigh * (has_tps_target ? kTpsShare : 1.0) * slack;
  l.max_batch = q.max_batch;
  l.max_queue = q.max_queue;
  l.has_extensions = targets.e2e_ms > 0 || targets.drop > 0;
  return l;
}

// States tested side by side: enough on a GPU to hide latencies and share loop overhead. CPUs with
// out-of-order execution need only one.
#if defined(__CUDACC__)
inline constexpr int kStatesTogether = 4;
#else
inline constexpr int kStatesTogether = 1;
#endif

// powers[i]^count for one whole count > 0 shared by all.
template <int kCount, class V>
TONNAGE_HD void raise_to_power(V (&powers)[kCount], std::int64_t count) {
  while ((count & 1) == 0) {
    for (V& p : powers) p = p * p;
    count >>= 1;
  }
  V base[kCount];
  for (int i = 0; i < kCount; ++i) base[i] = powers[i];
  for (count >>= 1; count > 0; count >>= 1) {
    for (V& b : base) b = b * b;
    if (count & 1) {
      for (int i = 0; i < kCount; ++i) powers[i] = powers[i] * base[i];
    }
  }
}

// prefill * scale for a pack, given served = X * scale.
template <class V>
struct PrefillTest {
  V base, slope, work;
  TONNAGE_HD explicit PrefillTest(const SweepPrefill& p)
      : base(p.base_ms), slope(p.slope_ms), work(p.work_ms) {}
  TONNAGE_HD V operator()(const V& scale, const V& served) const {
    const V moving = lane_fma(slope, served, base * scale);
    return lane_fma(work, scale, lane_max(V(0.0), moving));
  }
};

// The test at batch size M after its state has been added: true where every target holds.
// Multiplying through by positive factors leaves no division: with Q = 0
//   serv = H/(lam G'), X = H/G, prefill = P/G   (G' the sum before state M)
//   ITL:  serv <= m*itl + prefill;   TTFT: serv + (m-1) prefill <= m*ttft.
// kExtended: response time and drops have targets, too.
template <bool kStepped, bool kExtended, class V>
struct SweepTest {
  PrefillTest<V> itl_prefill, ttft_prefill;
  V itl_room, ttft_room, e2e_room, drop_room, decode_steps, wait_tokens, rate, full_load;

  TONNAGE_HD SweepTest(const SweepLine& l, const V& lam)
      : itl_prefill(l.itl_prefill),
        ttft_prefill(l.ttft_prefill),
        itl_room(l.itl_room_ms),
        ttft_room(l.ttft_room_ms),
        e2e_room(l.e2e_room_ms),
        drop_room(l.drop_room),
        decode_steps(l.out_tokens - 1),
        wait_tokens(l.wait_tokens),
        rate(lam),
        full_load(l.full_load) {}

  TONNAGE_HD LaneMask<V> without_room(const ChainSums<V>& c, const V& sum_before,
                                      const V& q) const {
    const V p = itl_prefill(c.sum, c.moment);
    const V p_ttft = kStepped ? ttft_prefill(c.sum, c.moment) : p;
    const V by_itl = lane_fma(itl_room, c.sum, p);
    const V by_ttft = lane_fnma(decode_steps, p_ttft, ttft_room * c.sum);
    const V accepted = rate * sum_before;
    const auto holds =
        (c.moment * c.sum <= accepted * lane_min(by_itl, by_ttft)) & (q <= full_load);
    if constexpr (!kExtended) return holds;
    return holds & (c.moment <= accepted * e2e_room) & (c.weight <= drop_room * c.sum);
  }

  // With a waiting room, in the notation of close_chain(), everything times the sum G:
  //   ITL:  served/(lam d) <= m*itl + prefill
  //   TTFT: m*wait + serv + (m-1) prefill <= m*ttft.
  TONNAGE_HD LaneMask<V> with_room(const ChainSums<V>& c, const V& q, const V& q_power,
                                   const V& batch, std::int64_t max_queue) const {
    const V e = V(1.0) - q;
    const V t0 = lane_fnma(q, q_power, q);
    const V tail = q_power * e;
    const V t1 = lane_fnma(V(static_cast<double>(max_queue)), q * tail, t0);
    const V wt0 = c.weight * t0;
    const V z = lane_fma(e, c.sum, wt0);
    const V d = lane_fnma(c.weight, tail, z);
    const V served = lane_fma(batch, wt0, c.moment * e);
    const V p = itl_prefill(z, served);
    const V p_ttft = kStepped ? ttft_prefill(z, served) : p;
    const V accepted = rate * d;
    const V by_itl = lane_fma(itl_room, z, p);
    const V by_ttft = lane_fnma(decode_steps, p_ttft, ttft_room * z) * e;
    const V waits = lane_fma(wait_tokens * c.weight, t1, served * e);
    const auto holds =
        (served * z <= accepted * by_itl) & (waits * z <= accepted * by_ttft) & (q <= full_load);
    if constexpr (!kExtended) return holds;
    return holds & (lane_fma(c.weight, t1, served * e) <= (accepted * e) * e2e_room) &
           (c.weight * tail <= drop_room * z);
  }
};

// q = rate/mu(n): UniformLoad for a line with one chunk count, the other from a table of 1/mu(n).
template <class V, class Reciprocal>
struct UniformLoad {
  V rate_slope, rate_base;
  Reciprocal reciprocal;
  TONNAGE_HD V operator()(std::int64_t n) const {
    return lane_fma(rate_slope, V(reciprocal(n)), rate_base);
  }
};
template <class V>
struct TabledLoad {
  V rate;
  const double* inv_mu;  // [N + 1]
  TONNAGE_HD V operator()(std::int64_t n) const { return rate * V(inv_mu[n]); }
};

// One pack of replica counts on its way through the batch sizes of a line.
template <bool kHasRoom, bool kStepped, bool kExtended, class V>
struct SweepState {
  SweepTest<kStepped, kExtended, V> test;
  std::int64_t max_queue;
  ChainSums<V> chain{V(1.0), V(1.0), V(0.0)};
  V q = V(0.0);

  TONNAGE_HD SweepState(const SweepLine& line, const V& rate)
      : test(line, rate), max_queue(line.max_queue) {}

  // kCount batch sizes from n on.
  template <int kCount, class Load, class Take>
  TONNAGE_HD void add(std::int32_t n, const Load& load, const Take& take) {
    V before[kCount], ratio[kCount], power[kCount], batch[kCount];
    ChainSums<V> sums[kCount];
    for (int i = 0; i < kCount; ++i) {
      batch[i] = V(static_cast<double>(n + i));
      before[i] = chain.sum;
      q = power[i] = ratio[i] = load(n + i);
      chain.weight = chain.weight * q;
      chain.sum = chain.sum + chain.weight;
      chain.moment = lane_fma(batch[i], chain.weight, chain.moment);
      sums[i] = chain;
    }
    if constexpr (kHasRoom) raise_to_power(power, max_queue);
    for (int i = 0; i < kCount; ++i) {
      take(n + i, kHasRoom ? test.with_room(sums[i], ratio[i], power[i], batch[i], max_queue)
                           : test.without_room(sums[i], before[i], ratio[i]));
    }
  }
};

// Runs one pack of replica counts through all batch sizes and hands each batch's mask to
// take(M, mask), M ascending from 1; end_block(M) follows every kChainBlock of them and the last.
// `rate` is sweep_rate() of the pack, `load` gives q.
template <bool kHasRoom, bool kStepped, bool kExtended, class V, class Load, class Take,
          class EndBlock>
TONNAGE_HD void sweep_pack(const SweepLine& line, const V& rate, const Load& load, const Take& take,
                           const EndBlock& end_block) {
  SweepState<kHasRoom, kStepped, kExtended, V> state(line, rate);
  const V longest = V(static_cast<double>(line.max_batch));
  const auto last = static_cast<std::int32_t>(line.max_batch);
  constexpr auto kBlock = static_cast<std::int32_t>(kChainBlock);
  std::int32_t n = 1;
  while (n <= last) {
    const std::int32_t stop = n + kBlock - 1 < last ? n + kBlock - 1 : last;
    for (; n + kStatesTogether - 1 <= stop; n += kStatesTogether) {
      state.template add<kStatesTogether>(n, load, take);
    }
    if constexpr (kStatesTogether > 1) {
      for (; n <= stop; ++n) state.template add<1>(n, load, take);
    }
    end_block(stop);
    (void)chain_block_end(state.chain, state.q, stop, longest);
  }
}

// Arrival rate of one replica, but at least the low end of the rate range, where the targets must
// hold.
template <class V>
TONNAGE_HD V sweep_rate(const SweepLine& line, const V& replicas) {
  return lane_max(V(line.total_rate_per_ms) / replicas, V(line.rate_low_per_ms));
}

}  // namespace tonnage
