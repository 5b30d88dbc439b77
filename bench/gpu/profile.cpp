// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Runs one search, table and frontier for a profiler, and counts the launches of each kernel.
#include "bench/gpu/profile.hpp"

#include <cstdio>
#include <map>
#include <mutex>

#include "bench/gpu/kernel_names.hpp"
#include "bench/gpu/observed_device.hpp"
#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/report.hpp"
#include "bench/gpu/sample_line.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

void search(const Evaluator& device, const Problem& problem, std::int64_t) {
  SearchOptions options;
  options.batch = BatchMode::kSearch;
  (void)device.search(problem, options);
}

void table(const Evaluator& device, const Problem& problem, std::int64_t replicas) {
  GridOptions options;
  options.num_threads = 1;
  options.replicas = {1, replicas, 1};
  options.batches.step = 4;
  options.percentiles = true;
  device.table(problem, whole_grid(problem, options), options, [](const GridBlock&) {});
}

void points(const Evaluator& device, const Problem& problem, std::int64_t replicas) {
  GridOptions options;
  options.num_threads = 1;
  options.replicas = {1, replicas, 1};
  device.points(problem, whole_grid(problem, options), options, {},
                [](std::int64_t, std::span<const ParetoPoint>) {});
}

// The work that launches a kernel. Kernels shared by tables and points belong to the table.
using Work = void (*)(const Evaluator& device, const Problem& problem, std::int64_t replicas);
bool launches(Work work, const std::string& kernel) {
  const auto begins = [&](const char* prefix) { return kernel.starts_with(prefix); };
  if (begins("CountPoints") || begins("WritePoints") || begins("DropPoints")) return work == points;
  const bool of_table = begins("FillTable") || begins("FillPiece") || begins("SizeTable") ||
                        begins("FillPercentiles") || begins("JudgePercentiles");
  return of_table ? work == table : work == search;
}

}  // namespace

void run_profile(const cuda::OpenDevices& open, const ProfileOptions& options,
                 const ProfilerRange& range) {
  std::map<std::string, int, std::less<>> launched;
  std::mutex mutex;
  const auto is_wanted = [&](std::string_view kernel) {
    return options.only.empty() ? !kernel.empty() : kernel == options.only;
  };
  const Observer observer = [&](Operation, std::string_view kernel,
                                const std::function<void()>& operate) {
    if (!is_wanted(kernel)) return operate();  // also what ordering allocates inside its range
    const std::lock_guard lock(mutex);
    ++launched[std::string(kernel)];
    range(true);
    operate();
    range(false);
  };
  const auto device = cuda::make_device_evaluator(observed(only_first(open), observer),
                                                  make_cpu_evaluator(best_instruction_set()));
  Problem problem =
      random_problem({.servers = options.servers, .seed = 3, .longest = options.longest});
  bound_replicas(problem, *make_cpu_evaluator(best_instruction_set()), 64);
  for (const Work work : {search, table, points}) {
    if (!options.only.empty() && !launches(work, options.only)) continue;
    for (int time = 0; time < options.times; ++time) work(*device, problem, options.replicas);
  }
  std::string missing;
  for (const std::string& name : kernel_names()) {
    if (!options.only.empty() && name != options.only) continue;
    std::printf("profile %s: %d launches\n", name.c_str(), launched[name]);
    if (launched[name] == 0) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) throw Failure("never launched: " + missing);
}

}  // namespace tonnage::check
