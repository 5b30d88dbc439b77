// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizing of all lines of a Problem on the CPU: several pairs per SIMD pass, threads over chunks.
// Owns: the choice of instruction set at run time. Answers equal size_line() bit for bit.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   const tonnage::Problem problem = tonnage::build_problem(tonnage::System());
//   for (const tonnage::LineOutcome& line : tonnage::size_lines(problem)) {
//     if (line.feasible()) std::printf("%ld replicas\n", line.num_replicas);
//   }
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tonnage/core/problem.hpp"
#include "tonnage/core/progress.hpp"

namespace tonnage {

enum class InstructionSet { kBaseline, kAvx2, kAvx512 };

[[nodiscard]] std::string_view to_string(InstructionSet isa);
// The widest instruction set that this processor has and the library was compiled for.
[[nodiscard]] InstructionSet best_instruction_set();
// Whether this processor and this build have the instruction set.
[[nodiscard]] bool is_usable(InstructionSet isa);

// Outcome of each line, in the order of problem.lines. num_threads 0: one per processor.
[[nodiscard]] std::vector<LineOutcome> size_lines(const Problem& problem, int num_threads = 0,
                                                  const ProgressCallback& progress = {});
// As above with a given instruction set. Throws Error (kUnavailable) if it is not usable.
[[nodiscard]] std::vector<LineOutcome> size_lines(const Problem& problem, InstructionSet isa,
                                                  int num_threads,
                                                  const ProgressCallback& progress);

}  // namespace tonnage
