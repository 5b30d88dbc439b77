// The check of a GPU machine: parity with the CPU on random problems, and timings. Needs nothing
// but CUDA and a compiler: see CMakeLists.txt beside it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "batch_search.hpp"
#include "ceilings.hpp"
#include "device.hpp"
#include "random_problem.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"
#include "tonnage/cuda/probe.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

constexpr int kNoGpu = 77;  // what ctest takes for a skipped test

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
// Of the fastest of `times` runs.
double fastest(int times, const std::function<void()>& work) {
  double best = seconds_of(work);
  for (int i = 1; i < times; ++i) best = std::min(best, seconds_of(work));
  return best;
}

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

// ---- parity

void run_parity(std::uint64_t seed, int fleets, std::int64_t servers, std::int64_t longest) {
  std::printf("parity: %d fleets of %lld servers, seed %llu\n", fleets,
              static_cast<long long>(servers), static_cast<unsigned long long>(seed));
  const auto host = cpu();
  const auto cuda = make_cuda_evaluator(cpu());
  std::mt19937_64 engine(seed);
  std::size_t lines = 0;
  for (int fleet = 0; fleet < fleets; ++fleet) {
    const Problem problem =
        random_problem({.servers = servers, .seed = engine(), .longest = longest});
    for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
      compare(cuda->search(problem, mode(batch)), host->search(problem, mode(batch)), problem);
    }
    lines += problem.lines.size();
  }
  Problem grid = random_problem({.servers = servers, .seed = engine(), .longest = longest});
  bound_replicas(grid, *host, 64);
  compare(cuda->search(grid, mode(BatchMode::kSearch, true)),
          host->search(grid, mode(BatchMode::kSearch)), grid);
  std::printf("parity: %zu lines in two modes and a whole grid, every bit the same\n", lines);
}

// ---- benchmarks

struct Result {
  std::string name;
  double seconds;
  std::string rate_name;  // of what is counted, "candidates"
  double count;
};

class Report {
 public:
  void add(const std::string& name, double seconds, const std::string& rate_name, double count) {
    results_.push_back({name, seconds, rate_name, count});
    std::printf("%-58s %10.3f ms %10.4g %s/s\n", name.c_str(), seconds * 1e3, count / seconds,
                rate_name.c_str());
    std::fflush(stdout);
  }
  void add_context(const std::string& name, const std::string& json) {
    context_ += (context_.empty() ? "" : ",\n  ") + ("\"" + name + "\": " + json);
  }
  void write(const std::string& path) const {
    std::ofstream out(path);
    out << "{\n \"context\": {\n  " << context_ << "\n },\n \"benchmarks\": [";
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const Result& r = results_[i];
      char text[300];
      std::snprintf(text, sizeof text,
                    "%s\n  {\"name\": \"%s\", \"real_time\": %.9g, \"time_unit\": \"ns\", "
                    "\"%s_per_second\": %.9g}",
                    i == 0 ? "" : ",", r.name.c_str(), r.seconds * 1e9, r.rate_name.c_str(),
                    r.count / r.seconds);
      out << text;
    }
    out << "\n ]\n}\n";
    if (!out.flush()) throw Failure("cannot write " + path);
  }

 private:
  std::vector<Result> results_;
  std::string context_;
};

std::string quoted(const std::string& text) { return "\"" + text + "\""; }
std::string number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

// A line whose targets bind in the middle of the grid of batch sizes and replica counts.
Problem sample_problem(std::int64_t ceiling, std::int64_t max_queue) {
  Problem p;
  PerfRow perf{};
  perf.alpha_ms = 12;
  perf.beta_ms = 0.05;
  perf.gamma_ms = 0.0005;
  perf.token_budget = 8192;
  perf.cost_per_replica = 100;
  perf.valid = true;
  ServerRow server{};
  server.in_tokens = 512;
  server.out_tokens = 256;
  server.targets.itl_ms = 40;
  server.targets.ttft_ms = 600;
  server.max_batch = ceiling;
  server.max_queue = max_queue;
  server.total_rate_per_ms = 0.3;
  server.load_kind = LoadKind::kLoaded;
  p.perfs.push_back(perf);
  p.servers.push_back(server);
  p.lines.push_back({0, 0});
  p.first_line = {0, 1};
  return p;
}

// The sweep kernel alone: many copies of one line, every batch size against 1 .. `replicas`.
void time_sweep(cuda::Device& device, std::int64_t ceiling, std::int64_t max_queue,
                std::int64_t replicas, std::int64_t lines, Report& report) {
  using cuda::Buffer;
  using cuda::MemoryKind;
  const Problem problem = sample_problem(ceiling, max_queue);
  const ServerRow& server = problem.servers[0];
  const PerfRow& perf = problem.perfs[0];
  const std::int8_t group = cuda::line_group(server, perf);

  // What the CPU finds on the same grid.
  std::vector<double> reciprocals(static_cast<std::size_t>(ceiling) + 1, 0.0);
  for (std::int64_t n = 1; n <= ceiling; ++n) reciprocals[n] = 1.0 / static_cast<double>(n);
  BatchSearch search(kernels_of(best_instruction_set()), reciprocals);
  SweepCounts want;
  LineOutcome feasible;
  feasible.num_replicas = replicas;
  (void)search.exhaustive(server, perf, feasible, {1, replicas}, want);

  const auto stream = device.make_stream();
  const auto upload = [&]<class T>(const std::vector<T>& values) {
    Buffer<T> on_device(device, MemoryKind::kDevice, std::ssize(values));
    const Buffer<T> pinned(device, MemoryKind::kPinned, std::ssize(values));
    std::copy(values.begin(), values.end(), pinned.data());
    stream->to_device(on_device.data(), pinned.data(), values.size() * sizeof(T));
    stream->wait();
    return on_device;
  };
  const auto entries_per_line = cuda::entry_count(ceiling);
  std::vector<std::int64_t> first(static_cast<std::size_t>(lines));
  for (std::int64_t i = 0; i < lines; ++i) first[i] = i * entries_per_line;
  const auto servers = upload(problem.servers);
  const auto perfs = upload(problem.perfs);
  const auto rows = upload(std::vector<LineRow>(static_cast<std::size_t>(lines), LineRow{0, 0}));
  const auto table = upload(reciprocals);
  const auto first_entry = upload(first);
  const auto searches = upload(std::vector<cuda::LineSearch>(
      static_cast<std::size_t>(lines), {0, replicas, cuda::SearchStage::kGrid}));
  const Buffer<std::int32_t> entries(device, MemoryKind::kDevice, lines * entries_per_line);
  const Buffer<cuda::SearchCounts> counts(device, MemoryKind::kDevice, 1);
  const Buffer<cuda::SearchCounts> found(device, MemoryKind::kPinned, 1);
  const cuda::SearchRows all{{servers.data(), perfs.data(), rows.data(), table.data(), nullptr},
                             searches.data(),
                             first_entry.data(),
                             entries.data(),
                             counts.data(),
                             true};
  const cuda::Kernel kernel = cuda::sweep_of_group(group, all, 0);

  stream->zero(counts.data(), sizeof(cuda::SearchCounts));
  stream->launch(kernel, lines);
  stream->to_host(found.data(), counts.data(), sizeof(cuda::SearchCounts));
  stream->wait();
  const std::int64_t candidates = lines * ceiling * replicas;
  if (found[0].candidates != candidates || found[0].passed != lines * want.passed) {
    throw Failure("the sweep kernel passed " + std::to_string(found[0].passed) + " of " +
                  std::to_string(found[0].candidates) + " candidates; wanted " +
                  std::to_string(lines * want.passed) + " of " + std::to_string(candidates));
  }
  constexpr int kLaunches = 5;
  const double seconds = fastest(5, [&] {
    for (int i = 0; i < kLaunches; ++i) stream->launch(kernel, lines);
    stream->wait();
  });
  report.add("gpu/sweep/M:" + std::to_string(ceiling) + "/Q:" + std::to_string(max_queue) +
                 "/r:" + std::to_string(replicas),
             seconds / kLaunches, "candidates", static_cast<double>(candidates));
}

void time_kernels(Report& report) {
  const auto devices = cuda::open_devices();
  cuda::Device& device = *devices.front();
  device.bind();
  const Ceilings ceilings = measure_ceilings();
  report.add_context("fma_per_second", number(ceilings.fma_per_second));
  report.add_context("copied_bytes_per_second", number(ceilings.copied_bytes_per_second));
  std::printf("ceilings: %.4g float64 fma/s, %.4g bytes/s of a copy\n", ceilings.fma_per_second,
              ceilings.copied_bytes_per_second);
  constexpr std::int64_t kCandidates = std::int64_t{1} << 32;
  const auto time = [&](std::int64_t m, std::int64_t q, std::int64_t r) {
    time_sweep(device, m, q, r, std::max<std::int64_t>(1, kCandidates / (m * r)), report);
  };
  for (const std::int64_t q : {0, 8, 128}) time(256, q, 64);
  for (const std::int64_t m : {32, 1024, 8192}) time(m, 0, 64);
  for (const std::int64_t r : {32, 40, 256}) time(256, 0, r);
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
