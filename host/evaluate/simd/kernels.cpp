// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Chooses the kernels of an instruction set, and detects which sets this processor has.
#include "host/evaluate/simd/kernels.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include "host/base/parallel.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {

std::string_view to_string(InstructionSet isa) {
  switch (isa) {
    case InstructionSet::kBaseline:
      return "baseline";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool is_usable(InstructionSet isa) {
#if defined(TONNAGE_HAVE_X86_KERNELS)
  switch (isa) {
    case InstructionSet::kBaseline:
      return true;
    case InstructionSet::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case InstructionSet::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == InstructionSet::kBaseline;
}

InstructionSet best_instruction_set() {
  if (is_usable(InstructionSet::kAvx512)) return InstructionSet::kAvx512;
  if (is_usable(InstructionSet::kAvx2)) return InstructionSet::kAvx2;
  return InstructionSet::kBaseline;
}

const Kernels& kernels_of(InstructionSet isa) {
  if (!is_usable(isa)) {
    throw Error(ErrorCode::kUnavailable, "instruction set " + std::string(to_string(isa)) +
                                             " is not usable on this processor");
  }
#if defined(TONNAGE_HAVE_X86_KERNELS)
  static constexpr Kernels kAvx512 = {size_pairs_avx512, fill_inverse_mu_avx512, size_one_avx512,
                                      sweep_line_avx512, size_batches_avx512,    fill_table_avx512};
  static constexpr Kernels kAvx2 = {size_pairs_avx2, fill_inverse_mu_avx2, size_one_avx2,
                                    sweep_line_avx2, size_batches_avx2,    fill_table_avx2};
  if (isa == InstructionSet::kAvx512) return kAvx512;
  if (isa == InstructionSet::kAvx2) return kAvx2;
#endif
  static constexpr Kernels kBaseline = {size_pairs_baseline,   fill_inverse_mu_baseline,
                                        size_one_baseline,     sweep_line_baseline,
                                        size_batches_baseline, fill_table_baseline};
  return kBaseline;
}

std::vector<double> reciprocal_table(const Problem& problem, int num_threads) {
  std::atomic<std::int64_t> largest{0};
  const auto lines = static_cast<std::int64_t>(problem.lines.size());
  parallel_chunks(lines, 65536, num_threads, [&](std::int64_t first, std::int64_t last) {
    std::int64_t most = 0;
    for (std::int64_t i = first; i < last; ++i) {
      const ServerRow& server = problem.servers[problem.lines[i].server];
      const PerfRow& perf = problem.perfs[problem.lines[i].perf];
      if (needs_search(server, perf)) most = std::max(most, batch_ceiling(server, perf));
    }
    std::int64_t seen = largest.load();
    while (most > seen && !largest.compare_exchange_weak(seen, most)) {
    }
  });
  std::vector<double> table(static_cast<std::size_t>(largest.load()) + 1, 0.0);
  for (std::size_t n = 1; n < table.size(); ++n) table[n] = 1.0 / static_cast<double>(n);
  return table;
}

}  // namespace tonnage
