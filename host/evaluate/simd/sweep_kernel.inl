// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Bodies of sweep_line_* and size_batches_*. Included once per instruction set, after
// sizing_kernel.inl.

#include "host/evaluate/simd/sweep_kernel.hpp"

namespace tonnage {
namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA) {

// Evaluator with batch sizes of one line as lanes. They share 1/mu(n) and look up prefill by
// occupancy.
struct SharedTableEvaluator {
  const TabledLine& line;
  Pack max_batch;

  TONNAGE_HD TargetPoint<Pack> operator()(const Pack& rate) const {
    const auto longest = static_cast<std::int64_t>(lane_highest(max_batch));
    ChainSums<Pack> c{Pack(1.0), Pack(1.0), Pack(0.0)};
    Pack inv_mu_full(0.0);
    for (std::int64_t n = 1; n <= longest; ++n) {
      const Pack inv_mu(line.inv_mu[n]);
      const Pack state(static_cast<double>(n));
      const Mask active = state <= max_batch;
      const Pack q = rate * inv_mu;
      const Pack next = c.weight * q;
      const Pack added = lane_select(active, next, Pack(0.0));
      c.weight = lane_select(active, next, c.weight);
      c.sum = c.sum + added;
      c.moment = lane_fma(state, added, c.moment);
      inv_mu_full = lane_select(active, inv_mu, inv_mu_full);
      if (n % kChainBlock == 0 && n < longest) (void)chain_block_end(c, q, n, max_batch);
    }
    const RatePoint<Pack> r =
        close_chain(c, rate, rate * inv_mu_full, max_batch,
                    Pack(static_cast<double>(line.sweep.max_queue)));
    double x[kLanes], batch[kLanes], chunks[kLanes], delta[kLanes], work[kLanes];
    r.in_service.store(x);
    max_batch.store(batch);
    for (int i = 0; i < kLanes; ++i) {
      const double rounded = x[i] + 0.5;
      const auto n = static_cast<std::int64_t>(
          rounded >= batch[i] ? batch[i] : (rounded >= 1 ? rounded : 1));
      chunks[i] = line.chunks[n];
      delta[i] = line.delta_ms[n];
      work[i] = line.work_ms[n];
    }
    const InverseTargets<double>& t = line.inv_target;
    const InverseTargets<Pack> inverse{Pack(t.itl), Pack(t.ttft), Pack(t.e2e), Pack(t.drop)};
    return compare_with_targets(r, Pack(line.alpha_ms), Pack::load(delta), Pack::load(chunks),
                                Pack::load(work), Pack(line.out_tokens), inverse);
  }
};

template <bool kStepped, bool kExtended, class Load, class Take>
TONNAGE_HD void sweep_room(const SweepLine& line, const Pack& rate, const Load& load,
                           const Take& take) {
  if (line.max_queue > 0) {
    sweep_pack<true, kStepped, kExtended>(line, rate, load, take, [](std::int32_t) {});
  } else {
    sweep_pack<false, kStepped, kExtended>(line, rate, load, take, [](std::int32_t) {});
  }
}

template <bool kStepped, class Load, class Take>
TONNAGE_HD void sweep(const SweepLine& line, const Pack& rate, const Load& load,
                      const Take& take) {
  if (line.has_extensions) {
    sweep_room<kStepped, true>(line, rate, load, take);
  } else {
    sweep_room<kStepped, false>(line, rate, load, take);
  }
}

}  // namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA)

std::int64_t TONNAGE_CONCAT(sweep_line_, TONNAGE_ISA)(const TabledLine& line,
                                                      const std::int64_t* replicas,
                                                      std::int64_t count, std::int64_t* least) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  std::int64_t passed = 0;
  for (std::int64_t first = 0; first < count; first += kLanes) {
    const std::int64_t lanes = count - first < kLanes ? count - first : kLanes;
    double lane[kLanes];
    for (std::int64_t i = 0; i < kLanes; ++i) {
      lane[i] = static_cast<double>(replicas[first + (i < lanes ? i : lanes - 1)]);
    }
    const unsigned wanted = lanes == 32 ? ~0u : (1u << lanes) - 1;
    const auto take = [&](std::int64_t n, const Mask& mask) {
      const unsigned bits = lane_bits(mask) & wanted;
      passed += __builtin_popcount(bits);
      if (bits != 0 && least[n] == 0) least[n] = replicas[first + __builtin_ctz(bits)];
    };
    const Pack rate = sweep_rate(line.sweep, Pack::load(lane));
    if (line.stepped) {
      sweep<true>(line.sweep, rate, TabledLoad<Pack>{rate, line.inv_mu}, take);
    } else {
      const UniformLoad<Pack, TabledReciprocal> load{rate * Pack(line.sweep.inv_mu_slope_ms),
                                                     rate * Pack(line.sweep.inv_mu_base_ms),
                                                     {line.reciprocal}};
      sweep<false>(line.sweep, rate, load, take);
    }
  }
  return passed;
}

void TONNAGE_CONCAT(size_batches_, TONNAGE_ISA)(const TabledLine& line,
                                                const std::int64_t* batches, std::int64_t count,
                                                double* goodput) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  for (std::int64_t first = 0; first < count; first += kLanes) {
    double batch[kLanes], high[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const std::int64_t m = batches[first + i < count ? first + i : count - 1];
      batch[i] = static_cast<double>(m);
      high[i] = line.rate_share / line.inv_mu[m];
    }
    const SharedTableEvaluator evaluate{line, Pack::load(batch)};
    const Pack top = Pack::load(high);
    const Pack low = lane_min(Pack(line.sweep.rate_low_per_ms), top);
    const RateSearch<Pack> r =
        search_rate(evaluate, low, top, RateGuess<Pack>{Pack(0.0), Pack(0.0)});
    double found[kLanes];
    lane_select(r.feasible, r.throughput_per_ms, Pack(0.0)).store(found);
    for (int i = 0; i < kLanes && first + i < count; ++i) goodput[first + i] = found[i];
  }
}

}  // namespace tonnage
