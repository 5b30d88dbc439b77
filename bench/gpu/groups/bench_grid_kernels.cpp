// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The kernels of tables and points by themselves: many copies of one line, every batch size against
// every replica count.
#include <algorithm>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/recorded.hpp"
#include "bench/gpu/sample_line.hpp"

namespace tonnage::check {
namespace {

struct Tabled {
  Problem problem;
  GridOptions options;
  std::vector<GridLine> grid;

  Tabled(const Sample& sample, std::int64_t lines, const Evaluator& host)
      : problem(sample_problem(sample, lines, host)) {
    options.replicas = {1, sample.replicas, 1};
    options.percentiles = sample.max_queue > 0;  // nobody waits without a waiting room
    options.memory_limit = std::int64_t{1} << 31;
    grid = whole_grid(problem, options);
  }
  [[nodiscard]] double candidates() const { return static_cast<double>(num_candidates(grid)); }
};

void take_no_rows(const GridBlock&) {}
void take_no_points(std::int64_t, std::span<const ParetoPoint>) {}

// Checks that device and host agree on a few lines.
void compare(const Sample& sample, const Evaluator& device, const Evaluator& host) {
  const Tabled few(sample, 3, host);
  RecordedTable got(few.grid), want(few.grid);
  host.table(few.problem, few.grid, few.options, want.consumer());
  device.table(few.problem, few.grid, few.options, got.consumer());
  const std::string difference = got.difference(want);
  if (!difference.empty()) throw Failure("tables of GPU and CPU differ: " + difference);
  RecordedPoints got_points(few.grid.size()), want_points(few.grid.size());
  host.points(few.problem, few.grid, few.options, {}, want_points.consumer());
  device.points(few.problem, few.grid, few.options, {}, got_points.consumer());
  const std::string other = got_points.difference(want_points);
  if (!other.empty()) throw Failure("points of GPU and CPU differ: " + other);
}

void time_grid(Bench& bench, Sample sample) {
  sample.ceiling = std::min(sample.ceiling, bench.setup.table_ceiling);
  sample.replicas = std::min(sample.replicas, bench.setup.table_replicas);
  const std::int64_t lines =
      std::max<std::int64_t>(1, bench.setup.table_candidates / (sample.ceiling * sample.replicas));
  const std::string tail = sample.name();
  bench.measure("cpu/table/" + tail, [&] {
    return bench.cpu_rate(lines, "candidates", [&](std::int64_t count) {
      const Tabled some(sample, count, bench.host());
      const double seconds = bench.fastest(
          [&] { bench.host().table(some.problem, some.grid, some.options, take_no_rows); });
      return Timed{seconds, some.candidates()};
    });
  });
  if (!bench.has_gpu()) return;
  bench.measure_all("gpu/table/" + tail, [&] {
    compare(sample, bench.gpu(), bench.host());
    Tabled all(sample, lines, bench.host());
    all.options.num_threads = 1;  // one worker: its operations do not overlap others
    const double count = all.candidates();
    const DeviceTimes table = bench.fastest_times([&](const Evaluator& device) {
      device.table(all.problem, all.grid, all.options, take_no_rows);
    });
    GridOptions averages = all.options;
    averages.percentiles = false;
    const DeviceTimes points = bench.fastest_times([&](const Evaluator& device) {
      device.points(all.problem, all.grid, averages, {}, take_no_points);
    });
    std::vector<std::pair<std::string, Measure>> results;
    const auto add = [&](const char* name, const DeviceTimes& times, const char* kernel) {
      const double seconds = times.of_kernels(kernel);
      if (seconds > 0) results.push_back({name + tail, {seconds, count, "candidates"}});
    };
    add("gpu/table/", table, "FillTable");
    add("gpu/table-needs/", table, "SizeTableRows");
    add("gpu/table-rates/", table, "FillPieceRates");
    add("gpu/table-verdicts/", table, "JudgePercentiles");
    add("gpu/table-percentiles/", table, "FillPercentiles");
    results.push_back({"gpu/table-download/" + tail,
                       {table.of[static_cast<int>(Operation::kDownload)], count, "candidates"}});
    add("gpu/points-count/", points, "CountPoints");
    add("gpu/points-write/", points, "WritePoints");
    return results;
  });
}

}  // namespace

void bench_grid_kernels(Bench& bench) {
  const SampleForm plain{"plain"}, stepped{.name = "stepped", .stepped = true},
      percentile{.name = "percentile", .percentile = true};
  for (const std::int64_t q : {0, 8, 128}) time_grid(bench, {plain, 256, q, 64});
  for (const std::int64_t q : {0, 128}) time_grid(bench, {stepped, 256, q, 64});
  time_grid(bench, {percentile, 256, 128, 64});
  for (const std::int64_t r : {8, 40, 256}) time_grid(bench, {plain, 256, 0, r});
}

}  // namespace tonnage::check
