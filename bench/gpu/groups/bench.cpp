// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The list of benchmark groups, and the measuring of one benchmark within the budget of its group.
#include "bench/gpu/groups/bench.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

struct Group {
  const char* name;
  double seconds;
  void (*run)(Bench&);
};

// The budgets sum to 240 s.
constexpr Group kGroups[] = {
    {"ceilings", 8, bench_ceilings},
    {"sweep", 40, bench_sweep},
    {"sizing", 32, bench_sizing},
    {"order", 8, bench_order},
    {"grid-kernels", 22, bench_grid_kernels},
    {"tables", 40, bench_tables},
    {"searches", 90, bench_searches},
};
// Runs are repeated for this long at most.
constexpr double kRepeatSeconds = 1;
// Least time of a CPU measurement.
constexpr double kLongEnough = 0.1;

}  // namespace

Bench::Bench(const BenchSetup& with, Report& report)
    : setup(with),
      report_(report),
      host_(make_cpu_evaluator(best_instruction_set())),
      start_(std::chrono::steady_clock::now()) {
  if (has_gpu()) {
    gpu_ = cuda::make_device_evaluator(setup.open, make_cpu_evaluator(best_instruction_set()));
  }
}

void Bench::begin_group(std::string_view name, double seconds) {
  group_ = name;
  budget_ = seconds * setup.budget_share;
  start_ = std::chrono::steady_clock::now();
}

bool Bench::allows(const std::string& name, double seconds) {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  if (spent.count() + seconds <= budget_) return true;
  std::printf("%s: %.0f of %.0f s are spent; left out: %s", group_.c_str(), spent.count(), budget_,
              name.c_str());
  std::printf(seconds > 0 ? ", about %.1f s\n" : "\n", seconds);
  std::fflush(stdout);
  return false;
}

void Bench::measure(const std::string& name, const std::function<Measure()>& work) {
  measure_all(name, [&] { return std::vector<std::pair<std::string, Measure>>{{name, work()}}; });
}

void Bench::measure_all(const std::string& name,
                        const std::function<std::vector<std::pair<std::string, Measure>>()>& work) {
  if (!allows(name, 0)) return;
  std::vector<std::pair<std::string, Measure>> results;
  try {
    results = work();
  } catch (const std::exception& error) {
    report_.add_failure(name, error.what());
    return;
  }
  for (const auto& [of, measure] : results) report_.add(of, measure);
}

Measure Bench::cpu_rate(std::int64_t most, const std::string& unit,
                        const std::function<Timed(std::int64_t)>& work) const {
  const std::int64_t threads = std::max(1u, std::thread::hardware_concurrency());
  for (std::int64_t items = std::min(most, threads);; items = std::min(most, items * 4)) {
    const Timed done = work(items);
    // A few items per thread keep all threads busy nearly all the time.
    const bool is_known = done.seconds >= kLongEnough && items >= 4 * threads;
    if (is_known || done.seconds >= kRepeatSeconds || items == most) {
      return {done.seconds, done.count, unit};
    }
  }
}

double Bench::fastest(const std::function<void()>& work) const {
  double best = seconds_of(work), all = best;
  for (int i = 1; i < setup.repeats && all < kRepeatSeconds; ++i) {
    const double seconds = seconds_of(work);
    all += seconds;
    best = std::min(best, seconds);
  }
  return best;
}

DeviceTimes Bench::fastest_times(const std::function<void(const Evaluator&)>& work) const {
  DeviceTimes best = times_of(setup.open, work);
  double all = best.all;
  for (int i = 1; i < setup.repeats && all < kRepeatSeconds; ++i) {
    const DeviceTimes times = times_of(setup.open, work);
    all += times.all;
    best.take_least(times);
  }
  return best;
}

std::vector<std::string> bench_groups() {
  std::vector<std::string> names;
  for (const Group& group : kGroups) names.emplace_back(group.name);
  return names;
}

void run_benchmarks(const BenchSetup& setup, const std::string& only, Report& report) {
  Bench bench(setup, report);
  for (const Group& group : kGroups) {
    if (!only.empty() && only != group.name) continue;
    bench.begin_group(group.name, group.seconds);
    group.run(bench);
  }
}

void bench_ceilings(Bench& bench) {
  for (const Ceiling& ceiling : bench.setup.ceilings) {
    bench.measure("gpu/ceiling/" + ceiling.name, ceiling.measure);
  }
}

}  // namespace tonnage::check
