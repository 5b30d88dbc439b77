// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Planning end to end: building rows, searching options, planning, by fleet size and number of
// threads. Costs should grow with the pairs, so pairs_per_second should stay level. Every plan is
// compared with the plan of one thread before it is timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "host/plan/planning.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage::bench {
namespace {

constexpr std::int64_t kAccelerators = 24;

// Fleets are generated once and kept, because generating one takes longer than planning it.
const System& fleet(std::int64_t servers) {
  static std::map<std::int64_t, std::unique_ptr<System>> fleets;
  std::unique_ptr<System>& fleet = fleets[servers];
  if (!fleet) {
    GenerateOptions options;
    options.servers = servers;
    options.accelerators = kAccelerators;
    fleet = std::make_unique<System>(generate_fleet(options));
  }
  return *fleet;
}

bool same(const std::vector<LineOutcome>& a, const std::vector<LineOutcome>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const LineOutcome& x, const LineOutcome& y) {
                      return x.reason == y.reason && x.num_replicas == y.num_replicas &&
                             x.max_batch == y.max_batch;
                    });
}

void report(benchmark::State& state, double pairs) {
  state.counters["pairs_per_second"] = benchmark::Counter(
      pairs * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void build(benchmark::State& state) {
  const System& system = fleet(state.range(0));
  const auto threads = static_cast<int>(state.range(1));
  const Problem alone = build_problem(system);
  const Problem shared = build_rows(system, threads);
  if (alone.first_line != shared.first_line || alone.server_names != shared.server_names) {
    state.SkipWithError("the rows depend on the number of threads");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(build_rows(system, threads).lines.data());
  report(state, static_cast<double>(alone.lines.size()));
}

void search(benchmark::State& state, SearchOptions options) {
  const Problem problem = build_rows(fleet(state.range(0)), 0);
  const std::unique_ptr<Evaluator> backend = select_backend("cpu");
  options.num_threads = 1;
  const SearchResult alone = backend->search(problem, options);
  SearchOptions other = options;
  other.num_threads = static_cast<int>(state.range(1));
  other.exhaustive = !options.exhaustive;
  const SearchResult otherwise = backend->search(problem, other);
  if (!same(otherwise.lines, alone.lines)) {
    state.SkipWithError("pruned and exhaustive search or numbers of threads disagree");
    return;
  }
  options.num_threads = other.num_threads;
  for (auto _ : state) benchmark::DoNotOptimize(backend->search(problem, options).lines.data());
  report(state, static_cast<double>(problem.lines.size()));
  if (options.batch == BatchMode::kMax) return;
  // Counts evaluated candidates; pruning shows as a smaller share of the grid.
  const auto swept = static_cast<double>(alone.candidates_swept);
  state.counters["candidates_per_second"] = benchmark::Counter(
      swept * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  const auto grid = std::max(alone.candidates_swept, otherwise.candidates_swept);
  state.counters["share_of_grid"] = swept / static_cast<double>(grid);
}

void plan(benchmark::State& state, Solver solver, BatchMode batch) {
  const System& system = fleet(state.range(0));
  PlannerOptions options;
  options.solver = solver;
  options.batch = batch;
  options.backend = "cpu";
  options.num_threads = 1;
  const Plan alone = make_plan(system, {}, options);
  options.num_threads = static_cast<int>(state.range(1));
  const Plan shared = make_plan(system, {}, options);
  if (alone.allocations != shared.allocations || alone.unallocated != shared.unallocated) {
    state.SkipWithError("the plan depends on the number of threads");
    return;
  }
  double evaluation_s = 0, selection_s = 0;
  for (auto _ : state) {
    const Plan made = make_plan(system, {}, options);
    evaluation_s += made.summary.evaluation_s;
    selection_s += made.summary.selection_s;
  }
  report(state, static_cast<double>(alone.summary.num_pairs));
  const auto mean = benchmark::Counter::kAvgIterations;
  state.counters["evaluation_s"] = benchmark::Counter(evaluation_s, mean);
  state.counters["selection_s"] = benchmark::Counter(selection_s, mean);
}

void register_plans() {
  const auto all = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  const auto sizes = [all](benchmark::internal::Benchmark* b, std::int64_t most) {
    b->ArgNames({"servers", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
    for (std::int64_t n = 100; n <= most; n *= 10) b->Args({n, all});
  };
  const auto threads = [all](benchmark::internal::Benchmark* b, std::int64_t servers) {
    b->ArgNames({"servers", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
    for (std::int64_t t = 1; t < 2 * all; t *= 2) b->Args({servers, std::min(t, all)});
  };
  threads(benchmark::RegisterBenchmark("problem", build), 100000);
  SearchOptions options;
  threads(benchmark::RegisterBenchmark("options/max", search, options), 10000);
  options.batch = BatchMode::kSearch;
  threads(benchmark::RegisterBenchmark("options/pruned", search, options), 1000);
  options.exhaustive = true;
  threads(benchmark::RegisterBenchmark("options/exhaustive", search, options), 1000);
  sizes(benchmark::RegisterBenchmark("plan/unlimited", plan, Solver::kUnlimited, BatchMode::kMax),
        100000);
  sizes(benchmark::RegisterBenchmark("plan/greedy", plan, Solver::kGreedy, BatchMode::kMax),
        100000);
  sizes(benchmark::RegisterBenchmark("plan/price", plan, Solver::kPrice, BatchMode::kMax), 100000);
  sizes(benchmark::RegisterBenchmark("plan/unlimited/search", plan, Solver::kUnlimited,
                                     BatchMode::kSearch),
        10000);
}

const bool kRegistered = (register_plans(), true);

}  // namespace
}  // namespace tonnage::bench
