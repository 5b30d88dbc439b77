// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Whole searches over fleets of growing size, warm and in a fresh process, with the CPU for
// comparison.
#include "bench/gpu/groups/bench_searches.hpp"

#include <algorithm>
#include <optional>
#include <sstream>

#include "bench/gpu/random_problem.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

// Estimated time of two processes that start a driver.
constexpr double kColdSeconds = 5;

struct Mode {
  const char* name;
  SearchOptions options;
  std::int64_t most_servers;
};
std::vector<Mode> modes() {
  SearchOptions max, search, grid;
  search.batch = grid.batch = BatchMode::kSearch;
  grid.exhaustive = true;
  return {{"max", max, 1'000'000}, {"search", search, 1'000'000}, {"grid", grid, 10'000}};
}

// The share of each operation in a search, and the rest for the host.
void add_phases(const std::string& name, const DeviceTimes& times,
                std::vector<std::pair<std::string, Measure>>& results) {
  for (int i = 0; i < kNumOperations; ++i) {
    const std::string phase = to_string(static_cast<Operation>(i));
    results.push_back({name + "/" + phase, {times.of[i], 0, ""}});
  }
  results.push_back({name + "/host", {times.host(), 0, ""}});
}

// Seconds of the searches of one mode over the previous fleet.
struct Last {
  double gpu = 0, cpu = 0;
};

void time_mode(Bench& bench, const Mode& mode, std::int64_t servers, const SearchFleet& fleet,
               const Problem& problem, Last& last) {
  const std::string tail = std::string("/") + mode.name + "/servers:" + std::to_string(servers);
  const auto lines = static_cast<double>(problem.lines.size());
  SearchResult got;
  if (bench.has_gpu() && bench.allows("gpu/search" + tail, 20 * last.gpu)) {
    bench.measure_all("gpu/search" + tail, [&] {
      std::vector<std::pair<std::string, Measure>> results;
      got = bench.gpu().search(problem, mode.options);  // also warms up
      const std::string difference = first_difference(
          got.lines, bench.host().search(fleet.once, mode.options).lines, fleet.once);
      if (!difference.empty()) throw Failure("GPU and CPU differ: " + difference);
      last.gpu = bench.fastest([&] { got = bench.gpu().search(problem, mode.options); });
      results.push_back({"gpu/search" + tail, {last.gpu, lines, "lines"}});
      if (got.candidates_swept > 0) {
        results.push_back({"gpu/search-swept" + tail,
                           {last.gpu, static_cast<double>(got.candidates_swept), "candidates"}});
      }
      add_phases("gpu/search-warm" + tail, bench.fastest_times([&](const Evaluator& device) {
        (void)device.search(problem, mode.options);
      }),
                 results);
      return results;
    });
  }
  // If a smaller fleet was left out, a larger one would take longer still.
  if (!bench.allows("cpu/search" + tail, last.cpu *= 12)) return;
  bench.measure("cpu/search" + tail, [&] {
    last.cpu = bench.fastest([&] { (void)bench.host().search(problem, mode.options); });
    return Measure{last.cpu, lines, "lines"};
  });
}

}  // namespace

SearchFleet::SearchFleet(std::int64_t servers, const Evaluator& host, std::int64_t different)
    : once(random_problem({.servers = std::min(servers, different),
                           .accelerators = 24,
                           .seed = 7,
                           .longest = 256,
                           .percentiles = false})),
      rounds(std::max<std::int64_t>(1, servers / different)) {
  bound_replicas(once, host, 64);
}

Problem SearchFleet::whole() const { return repeated(once, rounds); }

std::string cold_search(const cuda::OpenDevices& open, std::int64_t servers, bool observed) {
  const auto host = make_cpu_evaluator(best_instruction_set());
  const Problem problem = SearchFleet(servers, *host).whole();
  SearchOptions options;
  options.batch = BatchMode::kSearch;
  DeviceTimes times;
  if (observed) {
    times = times_of(open, [&](const Evaluator& device) { (void)device.search(problem, options); });
  } else {
    const auto device =
        cuda::make_device_evaluator(open, make_cpu_evaluator(best_instruction_set()));
    times.all = seconds_of([&] { (void)device->search(problem, options); });
  }
  std::ostringstream line;
  line.precision(9);
  line << "cold " << times.all;
  for (const double seconds : times.of) line << ' ' << seconds;
  return line.str();
}

DeviceTimes read_times(const std::string& line) {
  std::istringstream in(line);
  std::string word;
  DeviceTimes times;
  in >> word >> times.all;
  for (double& seconds : times.of) in >> seconds;
  if (!in || word != "cold") throw Failure("the process of a cold search said: " + line);
  return times;
}

void bench_searches(Bench& bench) {
  std::vector<Last> last(modes().size());
  std::optional<SearchFleet> fleet;
  for (std::int64_t servers = 10; servers <= bench.setup.search_servers; servers *= 10) {
    const std::string size = "servers:" + std::to_string(servers);
    // Searches of the CPU limit the fleet until it repeats itself.
    const std::int64_t different = bench.setup.different_servers;
    const bool repeats = fleet && std::ssize(fleet->once.servers) == different;
    const double seconds = repeats ? 0 : 10 * (last[0].cpu + last[1].cpu);
    if (!bench.allows("searches of " + size, seconds)) break;
    if (repeats) {
      fleet->rounds = servers / different;
    } else {
      fleet.emplace(servers, bench.host(), different);
    }
    const Problem problem = fleet->whole();
    for (std::size_t i = 0; i < last.size(); ++i) {
      const Mode mode = modes()[i];
      if (servers <= mode.most_servers) time_mode(bench, mode, servers, *fleet, problem, last[i]);
    }
    if (!bench.has_gpu() || !bench.setup.cold) continue;
    if (!bench.allows("gpu/search-cold/search/" + size, kColdSeconds)) continue;
    bench.measure_all("gpu/search-cold/search/" + size, [&] {
      const ColdTimes cold = bench.setup.cold(servers);
      std::vector<std::pair<std::string, Measure>> results{
          {"gpu/search-cold/search/" + size,
           {cold.plain, static_cast<double>(problem.lines.size()), "lines"}}};
      add_phases("gpu/search-cold/search/" + size, cold.observed, results);
      return results;
    });
  }
}

}  // namespace tonnage::check
