// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of kernels of one instruction set. Owns: their signatures and the choice of a set.
#pragma once

#include "host/evaluate/simd/sizing_kernel.hpp"
#include "host/evaluate/simd/sweep_kernel.hpp"
#include "host/evaluate/simd/table_kernel.hpp"
#include "tonnage/host/line_sizing.hpp"

namespace tonnage {

struct Kernels {
  SizePairsFunction size_pairs;
  FillInverseMuFunction fill_inverse_mu;
  SizePairFunction size_one;
  SweepLineFunction sweep_line;
  SizeBatchesFunction size_batches;
  FillTableFunction fill_table;
};

// Kernels of an instruction set. Throws Error (kUnavailable) if it is not usable here.
[[nodiscard]] const Kernels& kernels_of(InstructionSet isa);

// 1/n for every batch size a loaded line of the problem can have; entry 0 is unused.
[[nodiscard]] std::vector<double> reciprocal_table(const Problem& problem, int num_threads);

}  // namespace tonnage
