// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The kernels that size lines at their ceiling, and those that settle what a sweep has passed, on
// random lines of one kind each.
#include <algorithm>
#include <optional>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/random_problem.hpp"

namespace tonnage::check {
namespace {

using cuda::LineKind;

struct Kind {
  const char* name;
  LineKind kind;
  const char* kernel;
};
constexpr Kind kKinds[] = {
    {"plain", LineKind::kPlain, "SizePlainLines"},
    {"uneven", LineKind::kUneven, "SizeUnevenLines"},
    {"percentile", LineKind::kPercentile, "SizePercentileLines"},
    {"stepped", LineKind::kStepped, "SizeUnevenLines"},
    {"stepped-percentile", LineKind::kSteppedPercentile, "SizePercentileLines"},
};
// Number of different lines of a kind; a chunk repeats them.
constexpr std::int64_t kDifferentLines = 8192;

// The lines of a kind in a random fleet, at most `most`.
Problem lines_of_kind(LineKind kind, std::int64_t most, const Evaluator& host) {
  // Kinds differ in frequency: about one line in four is plain, one in a hundred uneven.
  const std::int64_t servers = std::clamp<std::int64_t>(most * 4, 500, 20'000);
  const Problem fleet = random_problem({.servers = servers, .seed = 11, .longest = 256});
  Problem some = only_lines(fleet, most, [&](const ServerRow& server, const PerfRow& perf) {
    const int group = cuda::line_group(server, perf);
    return group != cuda::kHostLine && static_cast<LineKind>(group / 4) == kind;
  });
  if (some.lines.empty()) throw Failure("the random fleet has no line of this kind");
  bound_replicas(some, host, 64);
  return some;
}

using Results = std::vector<std::pair<std::string, Measure>>;

// of(times) gives the results from the times of the search on the device.
void time_lines(Bench& bench, const std::string& tail, const Problem& once,
                const SearchOptions& options, const std::string& cpu_name,
                const std::function<Results(const DeviceTimes& times, double lines)>& of) {
  std::optional<SearchResult> want;
  bench.measure(cpu_name, [&] {
    const double seconds = bench.fastest([&] { want = bench.host().search(once, options); });
    return Measure{seconds, static_cast<double>(once.lines.size()), "lines"};
  });
  if (!bench.has_gpu()) return;
  bench.measure_all("gpu/" + tail, [&] {
    if (!want) want = bench.host().search(once, options);
    const std::int64_t times_over =
        std::max<std::int64_t>(1, bench.setup.chunk_lines / std::ssize(once.lines));
    const Problem all = repeated(once, times_over);
    SearchResult got;
    const DeviceTimes times =
        bench.fastest_times([&](const Evaluator& device) { got = device.search(all, options); });
    const std::string difference = first_difference(got.lines, want->lines, once);
    if (!difference.empty()) throw Failure("GPU and CPU differ: " + difference);
    return of(times, static_cast<double>(all.lines.size()));
  });
}

void time_kind(Bench& bench, const Kind& kind, const Problem& once) {
  const std::string name = kind.name;
  const bool stepped = kind.kind >= LineKind::kStepped;
  time_lines(
      bench, "size/" + name, once, {}, "cpu/size/" + name,
      [&](const DeviceTimes& times, double lines) {
        Results results{{"gpu/size/" + name, {times.of_kernels(kind.kernel), lines, "lines"}}};
        if (stepped) {
          results.push_back(
              {"gpu/fill-inverse-mu/" + name, {times.of_kernels("FillInverseMu"), lines, "lines"}});
        }
        return results;
      });
  SearchOptions search;
  search.batch = BatchMode::kSearch;
  time_lines(bench, "settle/" + name, once, search, "cpu/search/" + name,
             [&](const DeviceTimes& times, double lines) {
               return Results{
                   {"gpu/settle/first/" + name, {times.of_kernels("SettleFirst"), lines, "lines"}},
                   {"gpu/settle/lines/" + name, {times.of_kernels("SettleLines"), lines, "lines"}},
                   {"gpu/search-sweep/" + name, {times.of_kernels("SweepLines"), lines, "lines"}}};
             });
}

}  // namespace

void bench_sizing(Bench& bench) {
  const std::int64_t most = std::min(kDifferentLines, bench.setup.chunk_lines);
  for (const Kind& kind : kKinds) {
    std::optional<Problem> once;
    // Percentiles take far longer on the CPU.
    const bool percentile =
        kind.kind == LineKind::kPercentile || kind.kind == LineKind::kSteppedPercentile;
    bench.measure_all(std::string("sizing/") + kind.name, [&] {
      once = lines_of_kind(kind.kind, percentile ? std::max<std::int64_t>(1, most / 8) : most,
                           bench.host());
      return Results{};
    });
    if (once) time_kind(bench, kind, *once);
  }
}

}  // namespace tonnage::check
