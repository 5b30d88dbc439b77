// The benchmarks of a GPU machine: groups of them, each within a budget of time, every one caught
// by itself. Owns: the list of groups, their budgets, and how big the problems are.
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

// What a whole search took in a process of its own, by the engines' operations too.
struct ColdTimes {
  double plain = 0;      // as a user has it
  DeviceTimes observed;  // with every operation waited for, in another process
};

// A ceiling of the machine.
struct Ceiling {
  std::string name;
  std::function<Measure()> measure;
};

// What the benchmarks run on.
struct BenchSetup {
  cuda::OpenDevices open;  // empty: the CPU alone
  std::vector<Ceiling> ceilings;
  // The first search of a process over so many servers; empty: left out.
  std::function<ColdTimes(std::int64_t servers)> cold;

  // How big problems are; tests take small ones.
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

// What some items took, and how much was counted in them.
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

  // One benchmark: whatever it throws becomes its result.
  void measure(const std::string& name, const std::function<Measure()>& work);
  // Several that are known by one piece of work; should that fail, `name` tells.
  void measure_all(const std::string& name,
                   const std::function<std::vector<std::pair<std::string, Measure>>()>& work);
  // Whether the group's budget has room for so many seconds more; where it has not, says that
  // `name` is left out.
  bool allows(const std::string& name, double seconds);

  // The rate of the CPU: work(n) does n items. More items
  // are done, up to `most`, until they take long enough to be measured.
  [[nodiscard]] Measure cpu_rate(std::int64_t most, const std::string& unit,
                                 const std::function<Timed(std::int64_t items)>& work) const;
  // Of the fastest of some runs, fewer of long ones.
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
