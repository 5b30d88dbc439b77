// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Entry points of the SIMD kernels over all batch sizes of one line, one per instruction set.
#pragma once

#include <cstdint>

#include "tonnage/core/sweep_kernel.hpp"

namespace tonnage {

// A line with the tables its batch sizes share; index n = 1..N, entry 0 unused.
struct TabledLine {
  SweepLine sweep;
  InverseTargets<double> inv_target;
  double out_tokens;
  double alpha_ms;
  double rate_share;  // top of the rate range over mu(M)
  bool stepped;       // the chunk count grows with the batch
  const double* reciprocal;
  const double* inv_mu;    // 1/mu(n)
  const double* chunks;    // c(n)
  const double* delta_ms;  // delta(c(n))
  const double* work_ms;   // w_prefill(c(n))
};

// Sweeps ascending replica counts over all batch sizes. For each batch size M without an entry,
// least[M] becomes the first count that passes (0: none yet). Returns the number of candidates that
// passed.
using SweepLineFunction = std::int64_t (*)(const TabledLine& line, const std::int64_t* replicas,
                                           std::int64_t count, std::int64_t* least);

// Goodput (requests/ms; 0: infeasible) at the largest rate within targets, for each of `count`
// batch sizes of one line. This is the plain search: where the chunk count grows, ITL may fall or a
// percentile binds, it may exceed the true goodput, but never falls short of it.
//
// kPackedTolerance is the relative tolerance between packed and single searches. They evaluate
// different points; where latencies are flat in the rate, two rates that both meet the targets may
// differ by more than rounding.
inline constexpr double kPackedTolerance = 1e-6;
using SizeBatchesFunction = void (*)(const TabledLine& line, const std::int64_t* batches,
                                     std::int64_t count, double* goodput);

#define TONNAGE_DECLARE(isa)                                                                       \
  std::int64_t sweep_line_##isa(const TabledLine& line, const std::int64_t* replicas,              \
                                std::int64_t count, std::int64_t* least);                          \
  void size_batches_##isa(const TabledLine& line, const std::int64_t* batches, std::int64_t count, \
                          double* goodput);
TONNAGE_DECLARE(baseline)
TONNAGE_DECLARE(avx2)
TONNAGE_DECLARE(avx512)
#undef TONNAGE_DECLARE

}  // namespace tonnage
