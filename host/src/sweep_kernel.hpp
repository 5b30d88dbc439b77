// Entry points of the SIMD sweep, one per instruction set.
#pragma once

#include <cstdint>

#include "tonnage/core/sweep_kernel.hpp"

namespace tonnage {

// Sweeps replica counts first..first+count-1 of a line over all its batch sizes. For each batch
// size M (index M of the arrays, 1..N) least[M] becomes the least of these counts that passes the
// test, unless an earlier call has set it (0: none yet). Returns how many candidates passed.
// reciprocals[n] = 1/n up to N.
using SweepLineFunction = std::int64_t (*)(const SweepLine& line, std::int64_t first,
                                           std::int64_t count, const double* reciprocals,
                                           std::int64_t* least);

std::int64_t sweep_line_baseline(const SweepLine& line, std::int64_t first, std::int64_t count,
                                 const double* reciprocals, std::int64_t* least);
std::int64_t sweep_line_avx2(const SweepLine& line, std::int64_t first, std::int64_t count,
                             const double* reciprocals, std::int64_t* least);
std::int64_t sweep_line_avx512(const SweepLine& line, std::int64_t first, std::int64_t count,
                               const double* reciprocals, std::int64_t* least);

}  // namespace tonnage
