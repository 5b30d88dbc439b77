// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Lane types: one numeric source runs on a double, on a SIMD pack (host/evaluate/simd/pack.inl) or
// in a GPU thread. Owns: the host/device marker and the scalar lane. Every lane computes the same
// operations in the same order, so results do not depend on the width.
#pragma once

#include <cmath>

#if defined(__CUDACC__)
#define TONNAGE_HD __host__ __device__ __forceinline__
#else
// Always inline: the same source is compiled for several instruction sets, and an out-of-line copy
// from one of them must never be linked into another.
#define TONNAGE_HD inline __attribute__((always_inline))
#endif

namespace tonnage {

template <class V>
struct LaneTraits;

template <>
struct LaneTraits<double> {
  using Mask = bool;
};

template <class V>
using LaneMask = typename LaneTraits<V>::Mask;

TONNAGE_HD double lane_fma(double a, double b, double c) { return std::fma(a, b, c); }
// c - a * b, rounded once.
TONNAGE_HD double lane_fnma(double a, double b, double c) { return std::fma(-a, b, c); }
TONNAGE_HD double lane_select(bool mask, double if_true, double if_false) {
  return mask ? if_true : if_false;
}
TONNAGE_HD bool lane_any(bool mask) { return mask; }
TONNAGE_HD double lane_max(double a, double b) { return a > b ? a : b; }
TONNAGE_HD double lane_min(double a, double b) { return a < b ? a : b; }
TONNAGE_HD double lane_abs(double a) { return a < 0 ? -a : a; }
// Least and largest value over the lanes.
TONNAGE_HD double lane_lowest(double a) { return a; }
TONNAGE_HD double lane_highest(double a) { return a; }

}  // namespace tonnage
