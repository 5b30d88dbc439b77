// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Entry points of the SIMD sizing kernel, one per instruction set.
#pragma once

#include <cstdint>

#include "tonnage/core/sizing.hpp"

namespace tonnage {

// Searches the rate of each of `count` plain pairs. reciprocals[n] = 1/n up to the largest batch.
// Fastest when neighbours have similar batch sizes.
using SizePairsFunction = void (*)(const SizingLanes<double>* pairs, std::int64_t count,
                                   const double* reciprocals, RateSearch<double>* found);

// size_pair() compiled for the instruction set, for pairs that are not plain. `inv_mu` is what
// fill_inverse_mu() makes.
using SizePairFunction = RateSearch<double> (*)(const QueueShape& shape,
                                                const LatencyTargets& targets, bool has_tps_target,
                                                const double* inv_mu);

// fill_inverse_mu() compiled for the instruction set.
using FillInverseMuFunction = void (*)(const ServiceParams& service, std::int64_t max_batch,
                                       double* inv_mu);

void fill_inverse_mu_baseline(const ServiceParams& service, std::int64_t max_batch, double* inv_mu);
void fill_inverse_mu_avx2(const ServiceParams& service, std::int64_t max_batch, double* inv_mu);
void fill_inverse_mu_avx512(const ServiceParams& service, std::int64_t max_batch, double* inv_mu);

RateSearch<double> size_one_baseline(const QueueShape& shape, const LatencyTargets& targets,
                                     bool has_tps_target, const double* inv_mu);
RateSearch<double> size_one_avx2(const QueueShape& shape, const LatencyTargets& targets,
                                 bool has_tps_target, const double* inv_mu);
RateSearch<double> size_one_avx512(const QueueShape& shape, const LatencyTargets& targets,
                                   bool has_tps_target, const double* inv_mu);

void size_pairs_baseline(const SizingLanes<double>* pairs, std::int64_t count,
                         const double* reciprocals, RateSearch<double>* found);
void size_pairs_avx2(const SizingLanes<double>* pairs, std::int64_t count,
                     const double* reciprocals, RateSearch<double>* found);
void size_pairs_avx512(const SizingLanes<double>* pairs, std::int64_t count,
                       const double* reciprocals, RateSearch<double>* found);

}  // namespace tonnage
