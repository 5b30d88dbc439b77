// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Compares CUDA and CPU evaluators on random fleets in every way of splitting the work.
#include "bench/gpu/parity.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/recorded.hpp"
#include "bench/gpu/report.hpp"
#include "bench/gpu/sample_line.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

std::unique_ptr<Evaluator> cpu() { return make_cpu_evaluator(best_instruction_set()); }

// A CUDA evaluator with one way of splitting its work.
struct Variant {
  const char* name;
  std::unique_ptr<Evaluator> evaluator;
};

std::vector<Variant> variants(const cuda::OpenDevices& open, bool small_fleets) {
  cuda::EngineOptions small, twice;
  small.search = {.lines = small_fleets ? 5 : 37, .entries = small_fleets ? 256 : 4096};
  small.table = {.pieces = small_fleets ? 2 : 5, .candidates = small_fleets ? 300 : 3000};
  small.points = {.lines = small_fleets ? 2 : 7, .rows = 500, .threads = 300, .points = 64};
  twice.search.lines = small_fleets ? 7 : 101;
  twice.table = {.pieces = 31, .candidates = 20'000};
  twice.points = {.lines = 19, .rows = 5000, .threads = 2000, .points = 500};
  twice.times_opened = 2;
  std::vector<Variant> all;
  all.push_back({"", cuda::make_device_evaluator(open, cpu())});
  all.push_back({" in small chunks", cuda::make_device_evaluator(open, cpu(), small)});
  all.push_back({" on a device opened twice", cuda::make_device_evaluator(open, cpu(), twice)});
  return all;
}

void fail_on(const std::string& difference, const char* what, const Variant& variant) {
  if (!difference.empty()) throw Failure(what + std::string(variant.name) + ": " + difference);
}

// Compares one fleet in every variant; returns the number of lines or candidates compared.
using Compare = std::int64_t (*)(const std::vector<Variant>& devices, const Evaluator& host,
                                 const RandomOptions& fleet);

std::int64_t compare_searches(const std::vector<Variant>& devices, const Evaluator& host,
                              const Problem& problem, const SearchOptions& options) {
  SearchOptions pruned = options;
  pruned.exhaustive = false;
  const SearchResult want = host.search(problem, pruned);
  for (const Variant& device : devices) {
    fail_on(first_difference(device.evaluator->search(problem, options).lines, want.lines, problem),
            "search", device);
  }
  return std::ssize(problem.lines);
}

template <BatchMode kBatch>
std::int64_t compare_mode(const std::vector<Variant>& devices, const Evaluator& host,
                          const RandomOptions& fleet) {
  SearchOptions options;
  options.batch = kBatch;
  return compare_searches(devices, host, random_problem(fleet), options);
}

std::int64_t compare_whole_grids(const std::vector<Variant>& devices, const Evaluator& host,
                                 const RandomOptions& fleet) {
  Problem problem = random_problem(fleet);
  bound_replicas(problem, host, 64);
  SearchOptions options;
  options.batch = BatchMode::kSearch;
  options.exhaustive = true;
  return compare_searches(devices, host, problem, options);
}

// A fleet whose grid is small enough to be kept whole twice.
Problem tabled_problem(const RandomOptions& fleet) {
  RandomOptions smaller = fleet;
  smaller.servers = fleet.servers / 2;
  smaller.longest = std::min<std::int64_t>(fleet.longest, 600);
  return random_problem(smaller);
}

GridOptions tabled_options(std::int64_t batch_step) {
  GridOptions options;
  options.batches.step = batch_step;
  options.replicas = {1, 64, 3};
  return options;
}

std::int64_t compare_tables(const std::vector<Variant>& devices, const Evaluator& host,
                            const Problem& problem, const GridOptions& options) {
  const auto grid = whole_grid(problem, options);
  RecordedTable want(grid);
  host.table(problem, grid, options, want.consumer());
  for (const Variant& device : devices) {
    RecordedTable got(grid);
    device.evaluator->table(problem, grid, options, got.consumer());
    fail_on(got.difference(want), "table", device);
  }
  return num_candidates(grid);
}

std::int64_t compare_points(const std::vector<Variant>& devices, const Evaluator& host,
                            const Problem& problem, const GridOptions& options,
                            const PointOptions& wanted) {
  const auto grid = whole_grid(problem, options);
  RecordedPoints want(grid.size());
  host.points(problem, grid, options, wanted, want.consumer());
  for (const Variant& device : devices) {
    RecordedPoints got(grid.size());
    device.evaluator->points(problem, grid, options, wanted, got.consumer());
    fail_on(got.difference(want), "points", device);
  }
  return num_candidates(grid);
}

std::int64_t compare_plain_tables(const std::vector<Variant>& devices, const Evaluator& host,
                                  const RandomOptions& fleet) {
  return compare_tables(devices, host, tabled_problem(fleet), tabled_options(5));
}

// Sizing and search with targets on percentiles, and columns and frontiers of percentiles.
std::int64_t compare_percentiles(const std::vector<Variant>& devices, const Evaluator& host,
                                 const RandomOptions& fleet) {
  Problem problem = tabled_problem(fleet);
  double percentile = 50;
  for (ServerRow& server : problem.servers) {
    server.targets.ttft_ms = std::max(server.targets.ttft_ms, 300.0);
    server.targets.ttft_percentile = percentile = percentile < 99 ? percentile + 7 : 50;
    server.max_queue = std::max<std::int64_t>(server.max_queue, 20);
  }
  SearchOptions search;
  std::int64_t compared = compare_searches(devices, host, problem, search);
  search.batch = BatchMode::kSearch;
  compared += compare_searches(devices, host, problem, search);
  GridOptions options = tabled_options(25);
  options.percentiles = true;
  compared += compare_tables(devices, host, problem, options);
  return compared + compare_points(devices, host, problem, options, {GridColumn::kTtftP95, false});
}

std::int64_t compare_all_points(const std::vector<Variant>& devices, const Evaluator& host,
                                const RandomOptions& fleet) {
  const Problem problem = tabled_problem(fleet);
  std::int64_t compared = 0;
  for (const bool ignore_targets : {false, true}) {
    compared += compare_points(devices, host, problem, tabled_options(5),
                               {GridColumn::kTtft, ignore_targets});
  }
  return compared;
}

struct Kind {
  const char* name;
  const char* unit;
  Compare compare;
};
constexpr Kind kKinds[] = {
    {"max", "lines", compare_mode<BatchMode::kMax>},
    {"search", "lines", compare_mode<BatchMode::kSearch>},
    {"grid", "lines", compare_whole_grids},
    {"table", "candidates", compare_plain_tables},
    {"percentiles", "lines and candidates", compare_percentiles},
    {"points", "candidates", compare_all_points},
};
constexpr int kMostFleets = 20;

// Compares fleets until there are enough or the time is up.
void compare_fleets(const Kind& kind, const cuda::OpenDevices& open, const ParityOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto devices = variants(open, options.small);
  const auto host = cpu();
  std::mt19937_64 engine(options.seed);
  RandomOptions fleet{.servers = options.small ? 6 : 200, .longest = options.small ? 60 : 1000};
  std::int64_t compared = 0;
  int fleets = 0;
  const int wanted = options.small ? 1 : kMostFleets;
  for (; fleets < wanted; ++fleets) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (fleets > 0 && spent.count() >= options.seconds) break;
    fleet.seed = engine();
    compared += kind.compare(devices, *host, fleet);
  }
  std::printf("%s: %d fleets%s, %lld %s, seed %llu\n", kind.name, fleets,
              fleets < wanted ? " (then the time was up)" : "", static_cast<long long>(compared),
              kind.unit, static_cast<unsigned long long>(options.seed));
}

}  // namespace

std::vector<std::string> parity_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

bool run_parity(const cuda::OpenDevices& open, const ParityOptions& options) {
  bool all_well = true;
  for (const Kind& kind : kKinds) {
    if (!options.only.empty() && options.only != kind.name) continue;
    std::string reason;
    try {
      compare_fleets(kind, open, options);
    } catch (const std::exception& error) {
      reason = one_line(error.what()) + ", seed " + std::to_string(options.seed);
    }
    all_well = all_well && reason.empty();
    const std::string verdict = reason.empty() ? "ok" : "FAILED: " + reason;
    std::printf("parity %s: %s\n", kind.name, verdict.c_str());
    std::fflush(stdout);
  }
  return all_well;
}

}  // namespace tonnage::check
