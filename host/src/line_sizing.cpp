// Sizing of all lines: chunks over threads, pairs of similar batch size packed into SIMD lanes.
#include "tonnage/host/line_sizing.hpp"

#include <algorithm>
#include <string>

#include "line_sizing_kernel.hpp"
#include "parallel.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

// Large enough to find pairs of similar batch size, small enough to balance uneven threads.
constexpr std::int64_t kLinesPerChunk = 4096;

struct Kernel {
  SizePairsFunction size_pairs;
  SizePairFunction size_one;
};

Kernel kernel_for(InstructionSet isa) {
#if defined(TONNAGE_HAVE_X86_KERNELS)
  if (isa == InstructionSet::kAvx512) return {size_pairs_avx512, size_one_avx512};
  if (isa == InstructionSet::kAvx2) return {size_pairs_avx2, size_one_avx2};
#endif
  (void)isa;
  return {size_pairs_baseline, size_one_baseline};
}

bool needs_search(const ServerRow& server, const PerfRow& perf) {
  return server.load_kind == LoadKind::kLoaded && perf.valid &&
         (perf.alpha_ms > 0 || perf.beta_ms > 0 || perf.gamma_ms > 0);
}

// 1/n for every batch size a plain line can have.
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

// Scratch of one chunk.
struct PlainPairs {
  struct Key {
    std::int64_t max_batch;
    std::int64_t line;
  };
  std::vector<Key> keys;
  std::vector<SizingLanes<double>> pairs;   // in order of `line`
  std::vector<SizingLanes<double>> sorted;  // in order of max_batch
  std::vector<RateSearch<double>> found;
};

void size_chunk(const Problem& problem, std::int64_t first, std::int64_t last, const Kernel& kernel,
                const std::vector<double>& reciprocals, std::vector<LineOutcome>& outcomes) {
  PlainPairs plain;
  std::vector<std::int64_t> position(static_cast<std::size_t>(last - first));
  for (std::int64_t i = first; i < last; ++i) {
    const ServerRow& server = problem.servers[problem.lines[i].server];
    const PerfRow& perf = problem.perfs[problem.lines[i].perf];
    if (!needs_search(server, perf)) {
      outcomes[i] = size_line(server, perf);
      continue;
    }
    const std::int64_t ceiling = batch_ceiling(server, perf);
    const QueueShape shape = queue_shape(server, perf, ceiling);
    const double chunks_at_1 = chunk_count(shape.service, 1.0);
    const double chunks_at_m = chunk_count(shape.service, static_cast<double>(ceiling));
    const RateRange range = rate_range(shape, server.has_tps_target, chunks_at_1, chunks_at_m);
    if (!is_plain_pair(shape, chunks_at_1, chunks_at_m) ||
        !(range.low_per_ms <= range.high_per_ms)) {
      outcomes[i] = finish_line(server, perf, ceiling,
                                kernel.size_one(shape, server.targets, server.has_tps_target));
      continue;
    }
    position[i - first] = static_cast<std::int64_t>(plain.pairs.size());
    plain.keys.push_back({ceiling, i});
    plain.pairs.push_back(sizing_lanes(shape, server.targets, range, chunks_at_1));
  }
  std::sort(plain.keys.begin(), plain.keys.end(), [](const auto& a, const auto& b) {
    return a.max_batch != b.max_batch ? a.max_batch < b.max_batch : a.line < b.line;
  });
  plain.sorted.reserve(plain.pairs.size());
  for (const auto& key : plain.keys) {
    plain.sorted.push_back(plain.pairs[position[key.line - first]]);
  }
  plain.found.resize(plain.pairs.size());
  kernel.size_pairs(plain.sorted.data(), static_cast<std::int64_t>(plain.sorted.size()),
                    reciprocals.data(), plain.found.data());
  for (std::size_t k = 0; k < plain.keys.size(); ++k) {
    const std::int64_t i = plain.keys[k].line;
    outcomes[i] =
        finish_line(problem.servers[problem.lines[i].server], problem.perfs[problem.lines[i].perf],
                    plain.keys[k].max_batch, plain.found[k]);
  }
}

}  // namespace

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

std::vector<LineOutcome> size_lines(const Problem& problem, int num_threads,
                                    const ProgressCallback& progress) {
  return size_lines(problem, best_instruction_set(), num_threads, progress);
}

std::vector<LineOutcome> size_lines(const Problem& problem, InstructionSet isa, int num_threads,
                                    const ProgressCallback& progress) {
  if (!is_usable(isa)) {
    throw Error(ErrorCode::kUnavailable, "instruction set " + std::string(to_string(isa)) +
                                             " is not usable on this processor");
  }
  const Kernel kernel = kernel_for(isa);
  const std::vector<double> reciprocals = reciprocal_table(problem, num_threads);
  const auto count = static_cast<std::int64_t>(problem.lines.size());
  std::vector<LineOutcome> outcomes(problem.lines.size());
  parallel_chunks(
      count, kLinesPerChunk, num_threads,
      [&](std::int64_t first, std::int64_t last) {
        size_chunk(problem, first, last, kernel, reciprocals, outcomes);
      },
      [&](std::int64_t done) {
        if (progress) progress("sizing", done, count);
      });
  return outcomes;
}

}  // namespace tonnage
