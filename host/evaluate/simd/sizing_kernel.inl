// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Body of size_pairs_*: packs pairs into lanes and runs the shared search. Included once per
// instruction set with TONNAGE_ISA, TONNAGE_REGISTER_BYTES and TONNAGE_PACK_REGISTERS defined.

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "host/evaluate/simd/sizing_kernel.hpp"
#include "tonnage/core/lanes.hpp"
#include "tonnage/core/percentile_sizing.hpp"

#define TONNAGE_CONCAT_(a, b) a##b
#define TONNAGE_CONCAT(a, b) TONNAGE_CONCAT_(a, b)

namespace tonnage {
namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA) {
#include "host/evaluate/simd/pack.inl"
}  // namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA)

template <>
struct LaneTraits<TONNAGE_CONCAT(simd_, TONNAGE_ISA)::Pack> {
  using Mask = TONNAGE_CONCAT(simd_, TONNAGE_ISA)::Mask;
};

namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA) {

// SizingLanes and SearchState hold nothing but V: arrays of V for transposing.
template <template <class> class Fields>
constexpr int field_count() {
  static_assert(sizeof(Fields<Pack>) / sizeof(Pack) == sizeof(Fields<double>) / sizeof(double));
  return static_cast<int>(sizeof(Fields<double>) / sizeof(double));
}

// Packs `count` structs, `stride` bytes apart; a short group repeats its last one.
template <template <class> class Fields>
TONNAGE_HD void gather(const Fields<double>* from, std::size_t stride, std::int64_t count,
                       Fields<Pack>& packed) {
  double lane[kLanes];
  for (int field = 0; field < field_count<Fields>(); ++field) {
    for (int i = 0; i < kLanes; ++i) {
      const std::size_t source = static_cast<std::size_t>(i < count ? i : count - 1) * stride;
      __builtin_memcpy(&lane[i],
                       reinterpret_cast<const char*>(from) + source + field * sizeof(double),
                       sizeof(double));
    }
    const Pack value = Pack::load(lane);
    __builtin_memcpy(reinterpret_cast<char*>(&packed) + field * sizeof(Pack), &value,
                     sizeof(Pack));
  }
}

// One lane of a packed struct.
template <template <class> class Fields>
TONNAGE_HD Fields<double> lane_of(const Fields<Pack>& packed, int lane) {
  Fields<double> one;
  for (int field = 0; field < field_count<Fields>(); ++field) {
    __builtin_memcpy(reinterpret_cast<char*>(&one) + field * sizeof(double),
                     reinterpret_cast<const char*>(&packed) + field * sizeof(Pack) +
                         lane * sizeof(double),
                     sizeof(double));
  }
  return one;
}

// An unfinished pair, whose search continues in another pack.
struct OpenPair {
  SizingLanes<double> lanes;
  SearchState<double> state;
  std::int64_t pair;
};

}  // namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA)

// Searches end after different numbers of passes. A round ends after a few passes, and the open
// searches are packed anew, so that no pack waits for its slowest lane.
void TONNAGE_CONCAT(size_pairs_, TONNAGE_ISA)(const SizingLanes<double>* pairs, std::int64_t count,
                                              const double* reciprocals,
                                              RateSearch<double>* found) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  constexpr std::int64_t kGroup = 16 * kLanes;
  constexpr int kFirstPasses = 6, kFurtherPasses = 3;
  OpenPair open[kGroup];

  const auto round = [&](const SizingLanes<double>* lanes, const SearchState<double>* states,
                         std::size_t stride, std::int64_t lane_count, const auto& pair_at,
                         int from, int until, std::int64_t& kept) {
    UniformEvaluator<Pack, TabledReciprocal> evaluate{{}, {reciprocals}};
    gather(lanes, stride, lane_count, evaluate.lanes);
    const RateGuess<Pack> guess = guess_rate(evaluate.lanes);
    SearchState<Pack> state;
    if (states == nullptr) {
      state = begin_search(evaluate, evaluate.lanes.rate_low, evaluate.lanes.rate_high);
    } else {
      gather(states, stride, lane_count, state);
    }
    for (int pass = from; pass < until && lane_any(state.open > Pack(0.0)); ++pass) {
      advance_search(state, evaluate, guess, pass);
    }
    double goes_on[kLanes];
    state.open.store(goes_on);
    for (int i = 0; i < lane_count; ++i) {
      const std::int64_t pair = pair_at(i);
      if (goes_on[i] > 0 && until < kMostPasses) {
        open[kept++] = {pairs[pair], lane_of(state, i), pair};
      } else {
        found[pair] = end_search(lane_of(state, i));
      }
    }
  };

  for (std::int64_t begin = 0; begin < count; begin += kGroup) {
    const std::int64_t end = count < begin + kGroup ? count : begin + kGroup;
    std::int64_t kept = 0;
    for (std::int64_t first = begin; first < end; first += kLanes) {
      round(pairs + first, nullptr, sizeof(SizingLanes<double>),
            end - first < kLanes ? end - first : kLanes,
            [&](int i) { return first + i; }, 0, kFirstPasses, kept);
    }
    for (int from = kFirstPasses; kept > 0;) {
      // The last few searches stay in one pack.
      const int until = kept <= kLanes ? kMostPasses : from + kFurtherPasses;
      const std::int64_t waiting = kept;
      kept = 0;
      for (std::int64_t first = 0; first < waiting; first += kLanes) {
        // Open searches of a pack overwrite only pairs that are packed already.
        std::int64_t pair_of[kLanes];
        const std::int64_t lanes = waiting - first < kLanes ? waiting - first : kLanes;
        for (std::int64_t i = 0; i < lanes; ++i) pair_of[i] = open[first + i].pair;
        round(&open[first].lanes, &open[first].state, sizeof(OpenPair), lanes,
              [&](int i) { return pair_of[i]; }, from, until, kept);
      }
      from = until;
    }
  }
}

void TONNAGE_CONCAT(fill_inverse_mu_, TONNAGE_ISA)(const ServiceParams& service,
                                                   std::int64_t max_batch, double* inv_mu) {
  fill_inverse_mu(service, max_batch, inv_mu);
}

RateSearch<double> TONNAGE_CONCAT(size_one_, TONNAGE_ISA)(const QueueShape& shape,
                                                          const LatencyTargets& targets,
                                                          bool has_tps_target,
                                                          const double* inv_mu) {
  using Evaluate = CalledPercentile<TONNAGE_CONCAT(simd_, TONNAGE_ISA)::Pack>;
  if (!targets.binds_percentile()) return size_rate(shape, targets, has_tps_target, inv_mu);
  return size_percentile<Evaluate>(shape, targets, has_tps_target, {1.0, 0.0, inv_mu});
}

}  // namespace tonnage
