// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Entry points of the SIMD kernels that fill the table of one line, one per instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "host/evaluate/simd/sweep_kernel.hpp"
#include "tonnage/core/grid.hpp"
#include "tonnage/core/table_kernel.hpp"

namespace tonnage {

// Widest pack of any instruction set: lane arrays are padded to a multiple.
inline constexpr std::int64_t kWidestPack = 16;

// Doubles between columns, because columns a power of two apart would share cache sets.
inline constexpr std::int64_t kColumnStagger = 72;

// The chains of all replica counts of a line, kept between calls. Arrays of `count` doubles, padded
// to a multiple of kWidestPack.
struct TableChains {
  std::int64_t count;
  std::int64_t states;  // batch sizes passed so far
  const double* replicas;
  const double* rate;          // total/r
  const double* inverse_rate;  // r/total
  double* weight;
  double* sum;
  double* moment;
};

// Storage of chains, reused from line to line.
class ChainStore {
 public:
  // Chains of `count` replica counts, replicas_at(i) ascending in i, before their first state.
  template <class ReplicasAt>
  [[nodiscard]] TableChains start(std::int64_t count, double total_rate_per_ms,
                                  const ReplicasAt& replicas_at) {
    constexpr int kArrays = 6;
    const std::int64_t padded = (count + kWidestPack - 1) / kWidestPack * kWidestPack;
    storage_.resize(static_cast<std::size_t>(kArrays * padded));
    double* a[kArrays];
    for (int k = 0; k < kArrays; ++k) a[k] = storage_.data() + k * padded;
    for (std::int64_t i = 0; i < padded; ++i) {
      const auto replicas = static_cast<double>(replicas_at(i < count ? i : count - 1));
      a[0][i] = replicas;
      a[1][i] = total_rate_per_ms / replicas;
      a[2][i] = 1.0 / a[1][i];
      a[3][i] = a[4][i] = 1.0;
      a[5][i] = 0.0;
    }
    return {count, 0, a[0], a[1], a[2], a[3], a[4], a[5]};
  }

 private:
  std::vector<double> storage_;
};

// Destinations of rows of `count` doubles; null: not wanted.
struct TableRows {
  double* column[kNumPlainGridColumns];
  double* wait_weight;
  double* load;  // rate/mu(M)
};

// Advances the chains to the last of `num` batch sizes first, first + step, ..., and writes a row
// for each. Returns the number of valid rows: the next row and all larger batch sizes of the line
// must be evaluated one by one. The result does not depend on how a line is cut.
using FillTableFunction = std::int64_t (*)(const TabledLine& line, const TableLine& table,
                                           TableChains& chains, std::int64_t first,
                                           std::int64_t step, std::int64_t num,
                                           const TableRows& rows);

#define TONNAGE_DECLARE(isa)                                                                \
  std::int64_t fill_table_##isa(const TabledLine& line, const TableLine& table,             \
                                TableChains& chains, std::int64_t first, std::int64_t step, \
                                std::int64_t num, const TableRows& rows);
TONNAGE_DECLARE(baseline)
TONNAGE_DECLARE(avx2)
TONNAGE_DECLARE(avx512)
#undef TONNAGE_DECLARE

}  // namespace tonnage
