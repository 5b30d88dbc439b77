// The check of a GPU machine: parity with the CPU on random problems, and timings. Needs nothing
// but CUDA and a compiler: see CMakeLists.txt beside it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ceilings.hpp"
#include "kernel_times.hpp"
#include "random_problem.hpp"
#include "recorded.hpp"
#include "report.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"
#include "tonnage/cuda/probe.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage::check {
namespace {

constexpr int kNoGpu = 77;  // what ctest takes for a skipped test

std::unique_ptr<Evaluator> cpu() { return make_cpu_evaluator(best_instruction_set()); }

SearchOptions mode(BatchMode batch, bool exhaustive = false) {
  SearchOptions options;
  options.batch = batch;
  options.exhaustive = exhaustive;
  return options;
}

void compare(const SearchResult& got, const SearchResult& want, const Problem& problem) {
  const std::string difference = first_difference(got.lines, want.lines, problem);
  if (!difference.empty()) throw Failure("GPU and CPU differ: " + difference);
}

std::vector<GridLine> whole_grid(const Problem& problem, const GridOptions& options) {
  std::vector<std::int64_t> lines(problem.lines.size());
  std::iota(lines.begin(), lines.end(), 0);
  return plan_grid(problem, lines, options);
}

// ---- parity

void compare_tables(const Problem& problem, const std::vector<GridLine>& grid,
                    const GridOptions& options, const Evaluator& cuda, const Evaluator& host) {
  RecordedTable got(grid), want(grid);
  cuda.table(problem, grid, options, got.consumer());
  host.table(problem, grid, options, want.consumer());
  const std::string difference = got.difference(want);
  if (!difference.empty()) throw Failure("tables of GPU and CPU differ: " + difference);
}

// Tables, and what of them may be on a frontier. Answers how many candidates were compared.
std::int64_t compare_grids(const Problem& problem, const Evaluator& cuda, const Evaluator& host) {
  GridOptions options;
  options.batches.step = 5;
  options.replicas = {1, 64, 3};
  const auto grid = whole_grid(problem, options);
  compare_tables(problem, grid, options, cuda, host);
  GridOptions sparse = options;
  sparse.batches.step = 25;
  sparse.percentiles = true;
  compare_tables(problem, whole_grid(problem, sparse), sparse, cuda, host);
  for (const bool ignore_targets : {false, true}) {
    const PointOptions wanted{GridColumn::kTtft, ignore_targets};
    RecordedPoints got_points(grid.size()), want_points(grid.size());
    cuda.points(problem, grid, options, wanted, got_points.consumer());
    host.points(problem, grid, options, wanted, want_points.consumer());
    const std::string other = got_points.difference(want_points);
    if (!other.empty()) throw Failure("points of GPU and CPU differ: " + other);
  }
  return grid.empty() ? 0 : grid.back().offset + grid.back().num_candidates();
}

void run_parity(std::uint64_t seed, int fleets, std::int64_t servers, std::int64_t longest) {
  std::printf("parity: %d fleets of %lld servers, seed %llu\n", fleets,
              static_cast<long long>(servers), static_cast<unsigned long long>(seed));
  const auto host = cpu();
  const auto cuda = make_cuda_evaluator(cpu());
  std::mt19937_64 engine(seed);
  std::size_t lines = 0;
  std::int64_t candidates = 0;
  for (int fleet = 0; fleet < fleets; ++fleet) {
    const Problem problem =
        random_problem({.servers = servers, .seed = engine(), .longest = longest});
    for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
      compare(cuda->search(problem, mode(batch)), host->search(problem, mode(batch)), problem);
    }
    lines += problem.lines.size();
    if (fleet % 3 == 0) candidates += compare_grids(problem, *cuda, *host);
  }
  Problem grid = random_problem({.servers = servers, .seed = engine(), .longest = longest});
  bound_replicas(grid, *host, 64);
  compare(cuda->search(grid, mode(BatchMode::kSearch, true)),
          host->search(grid, mode(BatchMode::kSearch)), grid);
  std::printf(
      "parity: %zu lines in two modes, a whole grid, tables of %lld candidates: every bit the "
      "same\n",
      lines, static_cast<long long>(candidates));
}

// ---- benchmarks

void time_kernels(Report& report) {
  const auto devices = cuda::open_devices();
  cuda::Device& device = *devices.front();
  device.bind();
  const Ceilings ceilings = measure_ceilings();
  report.add_context("fma_per_second", number(ceilings.fma_per_second));
  report.add_context("copied_bytes_per_second", number(ceilings.copied_bytes_per_second));
  report.add_context("to_host_bytes_per_second", number(ceilings.to_host_bytes_per_second));
  std::printf("ceilings: %.4g float64 fma/s, %.4g bytes/s of a copy, %.4g bytes/s to the host\n",
              ceilings.fma_per_second, ceilings.copied_bytes_per_second,
              ceilings.to_host_bytes_per_second);
  constexpr std::int64_t kCandidates = std::int64_t{1} << 32;
  const auto time = [&](std::int64_t m, std::int64_t q, std::int64_t r) {
    time_sweep(device, m, q, r, std::max<std::int64_t>(1, kCandidates / (m * r)), report);
  };
  for (const std::int64_t q : {0, 8, 128}) time(256, q, 64);
  for (const std::int64_t m : {32, 1024, 8192}) time(m, 0, 64);
  for (const std::int64_t r : {32, 40, 256}) time(256, 0, r);
  constexpr std::int64_t kTabled = std::int64_t{1} << 25;
  for (const std::int64_t q : {0, 8, 128}) {
    time_table(device, 256, q, 64, kTabled / (256 * 64), report);
  }
  for (const std::int64_t r : {8, 40, 256}) {
    time_table(device, 256, 0, r, kTabled / (256 * r), report);
  }
}

// Whole tables, handed over block by block to nobody, with the CPU beside.
void time_tables(Report& report) {
  const auto host = cpu();
  const auto cuda = make_cuda_evaluator(cpu());
  for (const std::int64_t servers : {10, 100, 1000}) {
    const Problem problem =
        random_problem({.servers = servers, .seed = 7, .longest = 256, .percentiles = false});
    GridOptions options;
    options.replicas = {1, 64, 1};
    const auto grid = whole_grid(problem, options);
    const auto count = static_cast<double>(grid.back().offset + grid.back().num_candidates());
    const GridConsumer nobody = [](const GridBlock&) {};
    const std::string tail = "/servers:" + std::to_string(servers);
    if (servers <= 100) (void)compare_grids(problem, *cuda, *host);
    for (const auto& [name, evaluator] :
         {std::pair<const char*, const Evaluator*>{"gpu", cuda.get()}, {"cpu", host.get()}}) {
      const double seconds = fastest(3, [&] { evaluator->table(problem, grid, options, nobody); });
      report.add(std::string(name) + "/table-end-to-end" + tail, seconds, "candidates", count);
      const double thinned = fastest(3, [&] {
        evaluator->points(problem, grid, options, {},
                          [](std::int64_t, std::span<const ParetoPoint>) {});
      });
      report.add(std::string(name) + "/points-end-to-end" + tail, thinned, "candidates", count);
    }
  }
}

// Whole searches, copies and host work included, with the CPU beside.
void time_searches(std::int64_t most_servers, Report& report) {
  const auto host = cpu();
  const auto cuda = make_cuda_evaluator(cpu());
  struct Mode {
    const char* name;
    SearchOptions options;
    std::int64_t most_cpu_servers;
  };
  const Mode modes[] = {{"max", mode(BatchMode::kMax), 100'000},
                        {"search", mode(BatchMode::kSearch), 100'000},
                        {"grid", mode(BatchMode::kSearch, true), 10'000}};
  for (std::int64_t servers = 10; servers <= most_servers; servers *= 10) {
    Problem problem = random_problem(
        {.servers = servers, .accelerators = 24, .seed = 7, .longest = 256, .percentiles = false});
    bound_replicas(problem, *host, 64);
    const auto lines = static_cast<double>(problem.lines.size());
    for (const Mode& m : modes) {
      const std::string tail = std::string("/") + m.name + "/servers:" + std::to_string(servers);
      SearchResult got = cuda->search(problem, m.options);  // also warms up
      const double gpu_s = fastest(3, [&] { got = cuda->search(problem, m.options); });
      report.add("gpu/end-to-end" + tail, gpu_s, "lines", lines);
      if (got.candidates_swept > 0) {
        report.add("gpu/end-to-end/swept" + tail, gpu_s, "candidates",
                   static_cast<double>(got.candidates_swept));
      }
      if (servers > m.most_cpu_servers) continue;
      SearchResult want;
      const double cpu_s =
          fastest(servers > 1000 ? 1 : 3, [&] { want = host->search(problem, m.options); });
      report.add("cpu/end-to-end" + tail, cpu_s, "lines", lines);
      compare(got, want, problem);
    }
  }
}

void describe_machine(const CudaProbe& probe, Report& report) {
  const CudaDevice& d = probe.devices.front();
  report.add_context("gpu", quoted(d.name));
  report.add_context("gpus", std::to_string(probe.device_count));
  report.add_context("compute_capability", quoted(std::to_string(d.compute_major) + "." +
                                                  std::to_string(d.compute_minor)));
  report.add_context("sms", std::to_string(d.sm_count));
  report.add_context("memory_bytes", std::to_string(d.memory_bytes));
  report.add_context("driver_cuda", quoted(probe.driver_version));
  report.add_context("runtime_cuda", quoted(probe.runtime_version));
  report.add_context("cpu_backend", quoted(cpu()->availability().reason));
  // Whatever the script knows of this machine: a list of "name": value.
  if (const char* more = std::getenv("TONNAGE_CHECK_CONTEXT"); more != nullptr && *more != '\0') {
    report.add_context("machine", std::string("{") + more + "}");
  }
}

int run(const std::vector<std::string>& arguments) {
  const CudaProbe probe = probe_cuda();
  if (!probe.usable) {
    std::printf("needs a GPU: %s\n", probe.reason.c_str());
    const char* required = std::getenv("TONNAGE_REQUIRE_GPU");
    return required != nullptr && std::string_view(required) == "1" ? 1 : kNoGpu;
  }
  const std::string what = arguments.empty() ? "parity" : arguments[0];
  if (what == "parity" || what == "small") {
    const std::uint64_t seed =
        arguments.size() > 1 ? std::stoull(arguments[1]) : std::random_device{}();
    if (what == "parity") {
      run_parity(seed, 10, 500, 2000);
    } else {
      run_parity(seed, 1, 6, 60);
    }
    return 0;
  }
  if (what == "bench" && arguments.size() == 2) {
    Report report;
    describe_machine(probe, report);
    time_kernels(report);
    time_tables(report);
    time_searches(100'000, report);
    report.write(arguments[1]);
    return 0;
  }
  std::fprintf(stderr, "usage: tonnage_gpu_check [parity [SEED] | small [SEED] | bench FILE]\n");
  return 2;
}

}  // namespace
}  // namespace tonnage::check

int main(int argc, char** argv) {
  try {
    return tonnage::check::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tonnage_gpu_check: %s\n", error.what());
    return 1;
  }
}
