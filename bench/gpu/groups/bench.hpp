// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The benchmarks of a GPU machine: groups with a time budget, and failures caught one by one. Owns:
// the list of groups, their budgets, and the sizes of problems.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/gpu/observed_device.hpp"
#include "bench/gpu/report.hpp"
#include "cuda/src/device_evaluator.hpp"

namespace tonnage::check {

// Times of a whole search in a process of its own, in total and by operation of the engines.
struct ColdTimes {
  double plain = 0;      // as a user has it
  DeviceTimes observed;  // with every operation waited for, in another process
};

// A measured ceiling of the machine.
struct Ceiling {
  std::string name;
  std::function<Measure()> measure;
};

// What the benchmarks run on.
struct BenchSetup {
  cuda::OpenDevices open;  // empty: the CPU alone
  std::vector<Ceiling> ceilings;
  // Measures the first search of a process over that many servers; empty: left out.
  std::function<ColdTimes(std::int64_t servers)> cold;

  // Sizes of problems; tests use small ones.
  std::int64_t sweep_candidates = std::int64_t{1} << 32;
  std::int64_t sweep_ceiling = 8192;   // batch ceilings at most
  std::int64_t chunk_lines = 262'144;  // lines of sizing, settling and ordering
  std::int64_t table_candidates = std::int64_t{1} << 24;
  std::int64_t table_servers = 1000;
  std::int64_t table_ceiling = 256;   // batch ceilings at most
  std::int64_t table_replicas = 256;  // replica counts at most
  std::int64_t search_servers = 1'000'000;
  std::int64_t different_servers = 10'000;  // of a fleet, which repeats them
  int repeats = 5;
  double budget_share = 1;  // of the groups' budgets
};

// The time of some items, and the amount of work in them.
struct Timed {
  double seconds = 0;
  double count = 0;
};

class Bench {
 public:
  Bench(const BenchSetup& setup, Report& report);

  const BenchSetup& setup;
  const Evaluator& host() const { return *host_; }
  [[nodiscard]] bool has_gpu() const { return setup.open != nullptr; }
  // The devices as a user has them; only where has_gpu().
  const Evaluator& gpu() const { return *gpu_; }

  // Runs one benchmark; an exception becomes its result.
  void measure(const std::string& name, const std::function<Measure()>& work);
  // Runs several benchmarks measured by one piece of work; `name` stands for all if it fails.
  void measure_all(const std::string& name,
                   const std::function<std::vector<std::pair<std::string, Measure>>()>& work);
  // Whether the budget of the group has room for that many seconds; if not, reports that `name` is
  // left out.
  bool allows(const std::string& name, double seconds);

  // The rate of the CPU, where work(n) processes n items. Increases n, up to `most`, until the time
  // is measurable.
  [[nodiscard]] Measure cpu_rate(std::int64_t most, const std::string& unit,
                                 const std::function<Timed(std::int64_t items)>& work) const;
  // Times of the fastest of several runs; fewer runs if they are long.
  [[nodiscard]] double fastest(const std::function<void()>& work) const;
  [[nodiscard]] DeviceTimes fastest_times(const std::function<void(const Evaluator&)>& work) const;

  void begin_group(std::string_view name, double seconds);

 private:
  Report& report_;
  std::unique_ptr<Evaluator> host_, gpu_;
  std::string group_;
  double budget_ = 0;
  std::chrono::steady_clock::time_point start_;
};

// The groups of benchmarks, in the order in which they run.
[[nodiscard]] std::vector<std::string> bench_groups();
// Runs one group, or all where `only` is empty.
void run_benchmarks(const BenchSetup& setup, const std::string& only, Report& report);

// Each group's benchmarks.
void bench_ceilings(Bench& bench);
void bench_sweep(Bench& bench);
void bench_sizing(Bench& bench);
void bench_order(Bench& bench);
void bench_grid_kernels(Bench& bench);
void bench_tables(Bench& bench);
void bench_searches(Bench& bench);

}  // namespace tonnage::check
