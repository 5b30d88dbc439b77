// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Whole tables, handed to an empty consumer, and whole frontiers, with the CPU for comparison.
#include <algorithm>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/sample_line.hpp"

namespace tonnage::check {
namespace {

// The table or frontier computed for a fleet.
struct Wanted {
  const char* name;
  bool percentiles;
  bool points;
  std::int64_t batch_step;
};
constexpr Wanted kWanted[] = {
    {"table", false, false, 1},
    {"points", false, true, 1},
    {"table-percentiles", true, false, 8},
    {"points-percentile", true, true, 8},
};

void evaluate(const Evaluator& evaluator, const Problem& problem, const std::vector<GridLine>& grid,
              const GridOptions& options, const Wanted& wanted) {
  if (!wanted.points) {
    evaluator.table(problem, grid, options, [](const GridBlock&) {});
    return;
  }
  PointOptions points;
  if (wanted.percentiles) points.ttft = GridColumn::kTtftP95;
  evaluator.points(problem, grid, options, points,
                   [](std::int64_t, std::span<const ParetoPoint>) {});
}

}  // namespace

void bench_tables(Bench& bench) {
  for (const Wanted& wanted : kWanted) {
    double gpu_last = 0, cpu_last = 0;  // seconds of all runs over the fleet before
    for (std::int64_t servers = 10; servers <= bench.setup.table_servers; servers *= 10) {
      const Problem problem = random_problem({.servers = servers,
                                              .seed = 7,
                                              .longest = bench.setup.table_ceiling,
                                              .percentiles = false});
      GridOptions options;
      options.batches.step = wanted.batch_step;
      options.replicas = {1, std::min<std::int64_t>(64, bench.setup.table_replicas), 1};
      options.percentiles = wanted.percentiles;
      const auto grid = whole_grid(problem, options);
      const auto count = static_cast<double>(num_candidates(grid));
      const std::string tail =
          std::string("/") + wanted.name + "-end-to-end/servers:" + std::to_string(servers);
      const auto measure = [&](const char* where, const Evaluator& evaluator, double& last) {
        if (!bench.allows(where + tail, 10 * last)) return;
        bench.measure(where + tail, [&] {
          double best = 0;
          last = seconds_of([&] {
            best = bench.fastest([&] { evaluate(evaluator, problem, grid, options, wanted); });
          });
          return Measure{best, count, "candidates"};
        });
      };
      if (bench.has_gpu()) measure("gpu", bench.gpu(), gpu_last);
      measure("cpu", bench.host(), cpu_last);
    }
  }
}

}  // namespace tonnage::check
