// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizes all lines: threads over chunks, and SIMD lanes over plain pairs of similar batch size.
#include "tonnage/host/line_sizing.hpp"

#include <algorithm>

#include "host/base/parallel.hpp"
#include "host/evaluate/simd/kernels.hpp"

namespace tonnage {
namespace {

// Large enough to group pairs of similar batch size, small enough to balance threads.
constexpr std::int64_t kLinesSizedAtOnce = 4096;

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

void size_chunk(const Problem& problem, std::int64_t first, std::int64_t last,
                const Kernels& kernel, const std::vector<double>& reciprocals,
                std::vector<LineOutcome>& outcomes, WorkMeter& meter) {
  PlainPairs plain;
  std::vector<std::int64_t> position(static_cast<std::size_t>(last - first));
  std::vector<double> inv_mu;
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
    if (server.targets.binds_percentile() || !is_plain_pair(shape, chunks_at_1, chunks_at_m) ||
        !(range.low_per_ms <= range.high_per_ms)) {
      meter.check();
      inv_mu.resize(std::max(inv_mu.size(), static_cast<std::size_t>(ceiling) + 1));
      kernel.fill_inverse_mu(shape.service, ceiling, inv_mu.data());
      outcomes[i] =
          finish_line(server, perf, ceiling,
                      kernel.size_one(shape, server.targets, server.has_tps_target, inv_mu.data()));
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

std::vector<LineOutcome> size_lines(const Problem& problem, int num_threads,
                                    const ProgressCallback& progress) {
  return size_lines(problem, best_instruction_set(), num_threads, progress);
}

std::vector<LineOutcome> size_lines(const Problem& problem, InstructionSet isa, int num_threads,
                                    const ProgressCallback& progress) {
  const Kernels& kernel = kernels_of(isa);
  const std::vector<double> reciprocals = reciprocal_table(problem, num_threads);
  const auto count = static_cast<std::int64_t>(problem.lines.size());
  std::vector<LineOutcome> outcomes(problem.lines.size());
  WorkMeter meter(progress, "sizing", count);
  parallel_chunks(
      count, fair_chunk(count, kLinesSizedAtOnce, num_threads), num_threads,
      [&](std::int64_t first, std::int64_t last) {
        size_chunk(problem, first, last, kernel, reciprocals, outcomes, meter);
        meter.add(last - first);
      },
      [&](std::int64_t) { meter.check(); });
  meter.finish();
  return outcomes;
}

}  // namespace tonnage
