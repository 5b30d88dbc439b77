// The exhaustive sweep of one line: every batch size M = 1..N against many replica counts at once,
// O(1) a candidate. Owns: the division-free test of the metrics at total/r against the targets.
// Lanes are replica counts; the recursion over states runs through all batch sizes in one pass.
#pragma once

#include <cstdint>

#include "tonnage/core/lanes.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {

// The sweep's test is a necessary condition for feasibility (goodput may still fall short where
// requests are dropped), so it is looser than sizing by this much; sizing settles what it lets
// through.
inline constexpr double kSweepTolerance = 1e-8;

// One line whose prefill takes the same number of chunks at every batch size, folded into the
// constants of the test. Where a target is absent its constant is infinite.
struct SweepLine {
  double inv_mu_slope_ms;
  double inv_mu_base_ms;
  double prefill_base_ms;   // c (alpha - delta)
  double prefill_slope_ms;  // c delta
  double prefill_work_ms;
  double itl_room_ms;   // m * target
  double ttft_room_ms;  // m * target
  double out_tokens;
  double total_rate_per_ms;
  double rate_low_per_ms;  // rates below the range are tested at its low end
  double full_load;        // largest rate/mu(M) of the range
  std::int64_t max_batch;  // N
  std::int64_t max_queue;  // Q
};

TONNAGE_HD SweepLine sweep_line(const QueueShape& q, const LatencyTargets& targets,
                                bool has_tps_target, double total_rate_per_ms, double chunks) {
  const ServiceSegment s = service_segment(q.service, chunks);
  const double slack = 1 + kSweepTolerance;
  const double none = HUGE_VAL;
  const double m = q.service.out_tokens;
  SweepLine l;
  l.inv_mu_slope_ms = s.inv_mu_slope_ms;
  l.inv_mu_base_ms = s.inv_mu_base_ms;
  l.prefill_base_ms = chunks * (q.service.alpha_ms - s.delta_ms);
  l.prefill_slope_ms = chunks * s.delta_ms;
  l.prefill_work_ms = s.prefill_work_ms;
  l.itl_room_ms = targets.itl_ms > 0 ? m * targets.itl_ms * slack : none;
  l.ttft_room_ms = targets.ttft_ms > 0 ? m * targets.ttft_ms * slack : none;
  l.out_tokens = m;
  l.total_rate_per_ms = total_rate_per_ms;
  l.rate_low_per_ms = kRateLow * departure_rate(q.service, 1.0);
  l.full_load = kRateHigh * (has_tps_target ? kTpsShare : 1.0) * slack;
  l.max_batch = q.max_batch;
  l.max_queue = q.max_queue;
  return l;
}

// q^count for one whole count shared by all lanes.
template <class V>
TONNAGE_HD V shared_power(V base, std::int64_t count) {
  while ((count & 1) == 0) {
    base = base * base;
    count >>= 1;
  }
  V result = base;
  for (count >>= 1; count > 0; count >>= 1) {
    base = base * base;
    if (count & 1) result = result * base;
  }
  return result;
}

// The test at batch size M after its state has been added: true where every target holds.
// Multiplying through by positive factors leaves no division: with Q = 0
//   serv = H/(lam G'), X = H/G, prefill = P/G   (G' the sum before state M)
//   ITL:  serv <= m*itl + prefill;   TTFT: serv + (m-1) prefill <= m*ttft.
template <class V>
struct SweepTest {
  V prefill_base, prefill_slope, prefill_work, itl_room, ttft_room, decode_steps, out_tokens, rate,
      full_load;

  TONNAGE_HD explicit SweepTest(const SweepLine& l, const V& lam)
      : prefill_base(l.prefill_base_ms),
        prefill_slope(l.prefill_slope_ms),
        prefill_work(l.prefill_work_ms),
        itl_room(l.itl_room_ms),
        ttft_room(l.ttft_room_ms),
        decode_steps(l.out_tokens - 1),
        out_tokens(l.out_tokens),
        rate(lam),
        full_load(l.full_load) {}

  // prefill * scale, given served = X * scale.
  TONNAGE_HD V prefill(const V& scale, const V& served) const {
    const V moving = lane_fma(prefill_slope, served, prefill_base * scale);
    return lane_fma(prefill_work, scale, lane_max(V(0.0), moving));
  }

  TONNAGE_HD LaneMask<V> without_room(const ChainSums<V>& c, const V& sum_before,
                                      const V& q) const {
    const V p = prefill(c.sum, c.moment);
    const V by_itl = lane_fma(itl_room, c.sum, p);
    const V by_ttft = ttft_room * c.sum - decode_steps * p;
    const V right = (rate * sum_before) * lane_min(by_itl, by_ttft);
    return (c.moment * c.sum <= right) & (q <= full_load);
  }

  // With a waiting room, in the notation of close_chain(), everything times the sum G:
  //   ITL:  served/(lam d) <= m*itl + prefill
  //   TTFT: m*wait + serv + (m-1) prefill <= m*ttft.
  TONNAGE_HD LaneMask<V> with_room(const ChainSums<V>& c, const V& q, const V& batch,
                                   std::int64_t max_queue) const {
    const V e = V(1.0) - q;
    const V q_power = shared_power(q, max_queue);
    const V t0 = q - q * q_power;
    const V tail = q_power * e;
    const V t1 = t0 - V(static_cast<double>(max_queue)) * (q * tail);
    const V wt0 = c.weight * t0;
    const V z = lane_fma(e, c.sum, wt0);
    const V d = z - c.weight * tail;
    const V served = lane_fma(batch, wt0, c.moment * e);
    const V p = prefill(z, served);
    const V accepted = rate * d;
    const V by_itl = lane_fma(itl_room, z, p);
    const V by_ttft = (ttft_room * z - decode_steps * p) * e;
    const V waits = lane_fma(out_tokens * c.weight, t1, served * e);
    return (served * z <= accepted * by_itl) & (waits * z <= accepted * by_ttft) & (q <= full_load);
  }
};

// Runs one pack of replica counts through all batch sizes and hands each batch's mask to
// take(M, mask), M ascending from 1.
template <bool kHasRoom, class V, class Reciprocal, class Take>
TONNAGE_HD void sweep_pack(const SweepLine& line, const V& replicas, Reciprocal reciprocal,
                           Take&& take) {
  const V rate = lane_max(V(line.total_rate_per_ms) / replicas, V(line.rate_low_per_ms));
  const V rate_slope = rate * V(line.inv_mu_slope_ms);
  const V rate_base = rate * V(line.inv_mu_base_ms);
  const SweepTest<V> test(line, rate);
  ChainSums<V> c{V(1.0), V(1.0), V(0.0)};
  const V longest = V(static_cast<double>(line.max_batch));
  std::int64_t n = 1;
  while (n <= line.max_batch) {
    const std::int64_t stop =
        n + kChainBlock - 1 < line.max_batch ? n + kChainBlock - 1 : line.max_batch;
    V q = V(0.0);
    for (; n <= stop; ++n) {
      const V batch = V(static_cast<double>(n));
      q = lane_fma(rate_slope, V(reciprocal(n)), rate_base);
      const V before = c.sum;
      c.weight = c.weight * q;
      c.sum = c.sum + c.weight;
      c.moment = lane_fma(batch, c.weight, c.moment);
      take(n, kHasRoom ? test.with_room(c, q, batch, line.max_queue)
                       : test.without_room(c, before, q));
    }
    (void)chain_block_end(c, q, stop, longest);
  }
}

}  // namespace tonnage
