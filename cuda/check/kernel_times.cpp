#include "kernel_times.hpp"

#include <numeric>
#include <string>
#include <vector>

#include "batch_search.hpp"
#include "recorded.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage::check {
namespace {

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

}  // namespace

void time_sweep(cuda::Device& device, std::int64_t ceiling, std::int64_t max_queue,
                std::int64_t replicas, std::int64_t lines, Report& report) {
  using cuda::Buffer;
  using cuda::MemoryKind;
  const Problem problem = sample_problem(ceiling, max_queue);
  const ServerRow& server = problem.servers[0];
  const PerfRow& perf = problem.perfs[0];
  const int group = cuda::line_group(server, perf);

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
      static_cast<std::size_t>(lines), {0, replicas, 0, 0, cuda::SearchStage::kGrid}));
  const Buffer<std::int32_t> entries(device, MemoryKind::kDevice, lines * entries_per_line);
  const Buffer<cuda::SearchCounts> counts(device, MemoryKind::kDevice, 1);
  const Buffer<cuda::SearchCounts> found(device, MemoryKind::kPinned, 1);
  std::vector<std::int32_t> in_order(static_cast<std::size_t>(lines));
  std::iota(in_order.begin(), in_order.end(), 0);
  const auto order = upload(in_order);
  const cuda::SearchRows all{{servers.data(), 0, perfs.data(), rows.data(), nullptr, table.data(),
                              order.data(), first_entry.data(), lines, nullptr},
                             searches.data(),
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

void time_table(cuda::Device& device, std::int64_t ceiling, std::int64_t max_queue,
                std::int64_t replicas, std::int64_t lines, Report& report) {
  using cuda::Buffer;
  using cuda::MemoryKind;
  Problem problem = sample_problem(ceiling, max_queue);
  problem.accelerators.emplace_back(AcceleratorSpec{});
  const ServerRow& server = problem.servers[0];
  const PerfRow& perf = problem.perfs[0];
  constexpr std::int64_t kTheLine[] = {0};
  GridOptions options;
  options.replicas = {1, replicas, 1};
  options.percentiles = max_queue > 0;  // nobody waits without a waiting room
  const int num_columns = options.percentiles ? kNumGridColumns : kNumPlainGridColumns;
  const auto grid = plan_grid(problem, kTheLine, options);
  RecordedTable want(grid), got(grid);
  make_cpu_evaluator(best_instruction_set())->table(problem, grid, options, want.consumer());

  const std::int64_t of_line = ceiling * replicas, candidates = lines * of_line;
  const Buffer<cuda::TablePiece> pinned(device, MemoryKind::kPinned, lines);
  for (std::int64_t i = 0; i < lines; ++i) {
    pinned[i] = {server,      perf,        problem.accelerators[0].power_curve(),
                 0,           1,           1,
                 ceiling,     ceiling,     1,
                 1,           replicas,    i * replicas,
                 i * ceiling, i * of_line, 0};
  }
  const Buffer<cuda::TablePiece> pieces(device, MemoryKind::kDevice, lines);
  const Buffer<double> reciprocals(device, MemoryKind::kDevice, ceiling + 1);
  const Buffer<std::int32_t> needs(device, MemoryKind::kDevice, lines * ceiling);
  const Buffer<std::int32_t> alone(device, MemoryKind::kDevice, lines);
  const Buffer<double> columns(device, MemoryKind::kDevice, cuda::kNumDeviceColumns * candidates);
  const Buffer<Verdict> verdicts(device, MemoryKind::kDevice, candidates);
  const cuda::TableChunk chunk{pieces.data(), lines,          reciprocals.data(), nullptr,
                               lines,         needs.data(),   alone.data(),       columns.data(),
                               candidates,    verdicts.data()};
  cuda::TableChunk chunk_of_all = chunk;
  chunk_of_all.percentiles = options.percentiles;
  const auto fill = [&](const cuda::TableChunk& of) {
    return cuda::kernel_of_form<cuda::FillTable>(cuda::table_form(server, perf, ceiling), of, 0);
  };
  const cuda::FillPercentiles fill_percentiles{chunk_of_all, kTtftLevels};
  const auto stream = device.make_stream();
  stream->to_device(pieces.data(), pinned.data(),
                    static_cast<std::size_t>(lines) * sizeof(cuda::TablePiece));
  stream->launch(cuda::FillReciprocals{reciprocals.data()}, ceiling + 1);
  stream->zero(alone.data(), static_cast<std::size_t>(lines) * sizeof(std::int32_t));
  stream->launch(cuda::SizeTableRows{chunk}, lines * ceiling);
  stream->launch(fill(chunk_of_all), lines * replicas);
  if (options.percentiles) stream->launch(fill_percentiles, candidates);

  // The last line against the CPU's.
  const Buffer<double> last(device, MemoryKind::kPinned, num_columns * of_line);
  const Buffer<Verdict> last_verdicts(device, MemoryKind::kPinned, of_line);
  const auto bytes = static_cast<std::size_t>(of_line) * sizeof(double);
  GridBlock block{grid.data(), 0, 0, ceiling, {}, {last_verdicts.data(), bytes / sizeof(double)}};
  for (int c = 0; c < num_columns; ++c) {
    stream->to_host(last.data() + c * of_line,
                    columns.data() + c * candidates + (candidates - of_line), bytes);
    block.columns[c] = {last.data() + c * of_line, static_cast<std::size_t>(of_line)};
  }
  stream->to_host(last_verdicts.data(), verdicts.data() + (candidates - of_line),
                  static_cast<std::size_t>(of_line) * sizeof(Verdict));
  stream->wait();
  got.consumer()(block);
  const std::string difference = got.difference(want);
  if (!difference.empty()) throw Failure("the table kernel: " + difference);

  constexpr int kLaunches = 5;
  const std::string tail = "/M:" + std::to_string(ceiling) + "/Q:" + std::to_string(max_queue) +
                           "/r:" + std::to_string(replicas);
  const auto time = [&](const char* name, const cuda::Kernel& timed, std::int64_t items) {
    const double seconds = fastest(5, [&] {
      for (int i = 0; i < kLaunches; ++i) stream->launch(timed, items);
      stream->wait();
    });
    report.add(name + tail, seconds / kLaunches, "candidates", static_cast<double>(candidates));
  };
  time("gpu/table", fill(chunk), lines * replicas);
  time("gpu/table-needs", cuda::SizeTableRows{chunk}, lines * ceiling);
  if (options.percentiles) time("gpu/table-percentiles", fill_percentiles, candidates);
}

}  // namespace tonnage::check
