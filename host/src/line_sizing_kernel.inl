// Body of size_pairs_*: packs pairs into lanes and runs the shared search. Included once per
// instruction set with TONNAGE_ISA, TONNAGE_REGISTER_BYTES and TONNAGE_PACK_REGISTERS defined.

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "line_sizing_kernel.hpp"
#include "tonnage/core/lanes.hpp"

#define TONNAGE_CONCAT_(a, b) a##b
#define TONNAGE_CONCAT(a, b) TONNAGE_CONCAT_(a, b)

namespace tonnage {
namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA) {
#include "simd_pack.inl"
}  // namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA)

template <>
struct LaneTraits<TONNAGE_CONCAT(simd_, TONNAGE_ISA)::Pack> {
  using Mask = TONNAGE_CONCAT(simd_, TONNAGE_ISA)::Mask;
};

void TONNAGE_CONCAT(size_pairs_, TONNAGE_ISA)(const SizingLanes<double>* pairs, std::int64_t count,
                                              const double* reciprocals,
                                              RateSearch<double>* found) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  constexpr double SizingLanes<double>::*kFrom[] = {
      &SizingLanes<double>::alpha_ms,        &SizingLanes<double>::delta_ms,
      &SizingLanes<double>::chunks,          &SizingLanes<double>::prefill_work_ms,
      &SizingLanes<double>::inv_mu_slope_ms, &SizingLanes<double>::inv_mu_base_ms,
      &SizingLanes<double>::out_tokens,      &SizingLanes<double>::max_batch,
      &SizingLanes<double>::max_queue,       &SizingLanes<double>::inv_itl_target,
      &SizingLanes<double>::inv_ttft_target, &SizingLanes<double>::rate_low,
      &SizingLanes<double>::rate_high};
  constexpr Pack SizingLanes<Pack>::*kTo[] = {
      &SizingLanes<Pack>::alpha_ms,        &SizingLanes<Pack>::delta_ms,
      &SizingLanes<Pack>::chunks,          &SizingLanes<Pack>::prefill_work_ms,
      &SizingLanes<Pack>::inv_mu_slope_ms, &SizingLanes<Pack>::inv_mu_base_ms,
      &SizingLanes<Pack>::out_tokens,      &SizingLanes<Pack>::max_batch,
      &SizingLanes<Pack>::max_queue,       &SizingLanes<Pack>::inv_itl_target,
      &SizingLanes<Pack>::inv_ttft_target, &SizingLanes<Pack>::rate_low,
      &SizingLanes<Pack>::rate_high};
  constexpr int kFields = sizeof kFrom / sizeof kFrom[0];

  for (std::int64_t first = 0; first < count; first += kLanes) {
    UniformEvaluator<Pack, TabledReciprocal> evaluate{{}, {reciprocals}};
    for (int field = 0; field < kFields; ++field) {
      double lane[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        // A short last group repeats its last pair.
        const std::int64_t pair = first + i < count ? first + i : count - 1;
        lane[i] = pairs[pair].*kFrom[field];
      }
      evaluate.lanes.*kTo[field] = Pack::load(lane);
    }
    const RateSearch<Pack> r =
        search_rate(evaluate, evaluate.lanes.rate_low, evaluate.lanes.rate_high,
                                           guess_rate(evaluate.lanes));
    double rate[kLanes], throughput[kLanes], in_service[kLanes], feasible[kLanes], excess[kLanes];
    r.rate_per_ms.store(rate);
    r.throughput_per_ms.store(throughput);
    r.in_service.store(in_service);
    r.excess_at_low.store(excess);
    lane_select(r.feasible, Pack(1.0), Pack(0.0)).store(feasible);
    for (int i = 0; i < kLanes && first + i < count; ++i) {
      found[first + i] = {rate[i], throughput[i], in_service[i], feasible[i] != 0, excess[i]};
    }
  }
}

RateSearch<double> TONNAGE_CONCAT(size_one_, TONNAGE_ISA)(const QueueShape& shape,
                                                          const LatencyTargets& targets,
                                                          bool has_tps_target) {
  return size_rate(shape, targets, has_tps_target);
}

}  // namespace tonnage
