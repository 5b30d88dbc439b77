// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The sweep kernels: every batch size against every replica count of many copies of one line.
#include <algorithm>
#include <numeric>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/sample_line.hpp"
#include "host/base/parallel.hpp"
#include "host/evaluate/batch_search.hpp"
#include "host/evaluate/line_tables.hpp"

namespace tonnage::check {
namespace {

SearchOptions whole_grid_search() {
  SearchOptions options;
  options.batch = BatchMode::kSearch;
  options.exhaustive = true;
  return options;
}

// The sweep kernel of the CPU by itself, `times` times over the line.
void sweep_on_cpu(const Problem& one, const Sample& sample, std::int64_t times) {
  const Kernels& kernels = kernels_of(best_instruction_set());
  const std::vector<double> reciprocals = reciprocal_table(one, 1);
  LineTables tables;
  const TabledLine& line = tables.prepare(one.servers[0], one.perfs[0], reciprocals);
  std::vector<std::int64_t> replicas(static_cast<std::size_t>(sample.replicas));
  std::iota(replicas.begin(), replicas.end(), 1);
  parallel_chunks(times, 16, 0, [&](std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> least(static_cast<std::size_t>(sample.ceiling) + 1);
    for (std::int64_t i = first; i < last; ++i) {
      std::fill(least.begin(), least.end(), 0);
      (void)kernels.sweep_line(line, replicas.data(), sample.replicas, least.data());
    }
  });
}

void time_sweep(Bench& bench, const Sample& sample) {
  const std::int64_t of_line = sample.ceiling * sample.replicas;
  const std::int64_t lines = std::max<std::int64_t>(1, bench.setup.sweep_candidates / of_line);
  bench.measure("cpu/sweep/" + sample.name(), [&] {
    const Problem one = sample_problem(sample, 1, bench.host());
    return bench.cpu_rate(lines, "candidates", [&](std::int64_t some) {
      const double seconds = bench.fastest([&] { sweep_on_cpu(one, sample, some); });
      return Timed{seconds, static_cast<double>(some * of_line)};
    });
  });
  if (!bench.has_gpu()) return;
  bench.measure("gpu/sweep/" + sample.name(), [&] {
    const Problem one = sample_problem(sample, 1, bench.host());
    const SearchResult want = bench.host().search(one, whole_grid_search());
    const Problem problem = sample_problem(sample, lines, bench.host());
    SearchResult got;
    const DeviceTimes times = bench.fastest_times(
        [&](const Evaluator& device) { got = device.search(problem, whole_grid_search()); });
    const std::string difference = first_difference(got.lines, want.lines, one);
    if (!difference.empty()) throw Failure("GPU and CPU differ: " + difference);
    if (got.candidates_swept != lines * of_line ||
        got.candidates_passed != lines * want.candidates_passed) {
      throw Failure("the sweep passed " + std::to_string(got.candidates_passed) + " of " +
                    std::to_string(got.candidates_swept) + " candidates; wanted " +
                    std::to_string(lines * want.candidates_passed) + " of " +
                    std::to_string(lines * of_line));
    }
    return Measure{times.of_kernels("SweepLines"), static_cast<double>(got.candidates_swept),
                   "candidates"};
  });
}

}  // namespace

void bench_sweep(Bench& bench) {
  const SampleForm plain{"plain"}, table{.name = "table", .stepped = true},
      extended{.name = "extended", .extended = true};
  for (const std::int64_t q : {0, 8, 128}) time_sweep(bench, {plain, 256, q, 64});
  for (const SampleForm& form : {table, extended}) {
    for (const std::int64_t q : {0, 128}) time_sweep(bench, {form, 256, q, 64});
  }
  for (const std::int64_t m : {32, 1024, 8192}) {
    if (m <= bench.setup.sweep_ceiling) time_sweep(bench, {plain, m, 0, 64});
  }
  for (const std::int64_t r : {32, 40, 256}) time_sweep(bench, {plain, 256, 0, r});
}

}  // namespace tonnage::check
