// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans the shapes of grids.
#include "tonnage/host/grid.hpp"

#include <algorithm>
#include <string>

#include "core/src/check.hpp"
#include "host/base/parallel.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kLinesPlannedAtOnce = 256;
constexpr std::int64_t kMostCandidates = std::int64_t{1} << 62;
// Bound on the replica counts of a grid line, and so on the memory of a thread, since a block holds
// whole rows.
constexpr std::int64_t kMostReplicaCounts = std::int64_t{1} << 16;

void require_in_order(const char* what, const GridRange& range) {
  if (range.first < 0 || range.last < 0 || range.step < 1 ||
      (range.last > 0 && range.first > range.last)) {
    throw Error(
        ErrorCode::kInvalidInput,
        std::string(what) + " " + std::to_string(range.first) + ":" + std::to_string(range.last) +
            ":" + std::to_string(range.step) +
            " are not a range, expected first:last[:step] with first <= last and step >= 1");
  }
}

std::int64_t count_of(std::int64_t first, std::int64_t last, std::int64_t step) {
  return last < first ? 0 : (last - first) / step + 1;
}

// Replicas that a batch size needs; 0 where no number suffices.
std::int64_t needed(const ServerRow& server, const PerfRow& perf, std::int64_t batch) {
  const LineOutcome outcome = finish_line(
      server, perf, batch,
      size_pair(queue_shape(server, perf, batch), server.targets, server.has_tps_target));
  return outcome.sized() ? outcome.num_replicas : 0;
}

GridLine plan_line(const Problem& problem, std::int64_t line, const GridOptions& options) {
  GridLine g{line, 0, 1, 0, 0, 1, 0, 0};
  const ServerRow& server = problem.servers[problem.lines[line].server];
  const PerfRow& perf = problem.perfs[problem.lines[line].perf];
  if (server.load_kind == LoadKind::kIdle && perf.valid) {
    g.first_batch = batch_ceiling(server, perf);
    g.first_replicas = server.min_replicas;
    g.num_batches = g.num_replicas = 1;
    return g;
  }
  if (!needs_search(server, perf)) return g;
  const GridRange& batches = options.batches;
  const GridRange& replicas = options.replicas;
  const std::int64_t ceiling = batch_ceiling(server, perf);
  g.first_batch = std::max<std::int64_t>(1, batches.first);
  g.batch_step = batches.step;
  g.num_batches = count_of(
      g.first_batch, batches.last > 0 ? std::min(batches.last, ceiling) : ceiling, batches.step);
  if (g.num_batches == 0) return g;
  g.first_replicas =
      replicas.first > 0 ? replicas.first : std::max<std::int64_t>(1, server.min_replicas);
  g.replica_step = replicas.step;
  std::int64_t last = replicas.last;
  if (last == 0) {
    last = g.first_replicas + (kDefaultReplicaCounts - 1) * g.replica_step;
    std::int64_t enough = needed(server, perf, g.first_batch);
    if (enough == 0) enough = needed(server, perf, g.batch(g.num_batches - 1));
    if (enough > 0) last = std::min(last, std::max(enough, g.first_replicas));
  }
  g.num_replicas = count_of(g.first_replicas, std::min(last, kMaxReplicas), g.replica_step);
  return g;
}

// Cuts lines of very many replica counts into parts, and numbers the candidates.
std::vector<GridLine> in_parts(const std::vector<GridLine>& lines, std::int64_t parts) {
  std::vector<GridLine> grid;
  grid.reserve(static_cast<std::size_t>(parts));
  std::int64_t offset = 0;
  for (const GridLine& line : lines) {
    for (std::int64_t first = 0; first < line.num_replicas; first += kMostReplicaCounts) {
      GridLine part = line;
      part.first_replicas = line.replicas(first);
      part.num_replicas = std::min(kMostReplicaCounts, line.num_replicas - first);
      part.offset = offset;
      TONNAGE_CHECK(part.num_candidates() > 0 && part.num_candidates() <= kMostCandidates - offset);
      offset += part.num_candidates();
      grid.push_back(part);
    }
  }
  TONNAGE_CHECK(std::ssize(grid) == parts);
  return grid;
}

}  // namespace

std::vector<GridLine> plan_grid(const Problem& problem, std::span<const std::int64_t> lines,
                                const GridOptions& options) {
  require_in_order("batch sizes", options.batches);
  require_in_order("replica counts", options.replicas);
  std::vector<GridLine> grid(lines.size());
  parallel_chunks(static_cast<std::int64_t>(lines.size()), kLinesPlannedAtOnce, options.num_threads,
                  [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t i = first; i < last; ++i) {
                      grid[i] = plan_line(problem, lines[i], options);
                    }
                  });
  std::erase_if(grid, [](const GridLine& g) { return g.num_batches == 0 || g.num_replicas == 0; });
  std::int64_t total = 0, parts = 0;
  for (const GridLine& g : grid) {
    std::int64_t candidates;
    if (__builtin_mul_overflow(g.num_batches, g.num_replicas, &candidates) ||
        __builtin_add_overflow(total, candidates, &total) || total > kMostCandidates) {
      throw Error(ErrorCode::kInvalidInput, "the grid has more than 2^62 candidates");
    }
    parts += (g.num_replicas - 1) / kMostReplicaCounts + 1;
  }
  return in_parts(grid, parts);
}

}  // namespace tonnage
