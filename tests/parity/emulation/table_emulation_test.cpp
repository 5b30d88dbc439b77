// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of candidates of the CUDA backend over an emulation of the launch grid: the numbers and
// verdicts of the CPU evaluator, bit for bit, whatever the chunks, the devices and the memory.
#include <gtest/gtest.h>

#include <random>

#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/recorded.hpp"
#include "cuda/src/grid/table_engine.hpp"
#include "emulated_device.hpp"
#include "support/seed.hpp"
#include "tests/parity/conformance_problems.hpp"
#include "tests/parity/grid_samples.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage {
namespace {

using check::RecordedTable;
using test::EmulationLog;
using test::EmulationOptions;
using namespace test::samples;

RecordedTable on_cpu(const Problem& problem, const std::vector<GridLine>& grid,
                     const GridOptions& options) {
  RecordedTable table(grid);
  select_backend("cpu")->table(problem, grid, options, table.consumer());
  return table;
}

// Opens one emulated device for each of `all`; expects that nothing is left of them afterwards.
void emulate(const Problem& problem, const std::vector<GridLine>& grid, const GridOptions& options,
             const std::vector<EmulationOptions>& all, const GridConsumer& consumer,
             const cuda::TableLimits& limits = {}, std::vector<EmulationLog>* logs = nullptr) {
  std::vector<EmulationLog> own(all.size());
  std::vector<EmulationLog>& log = logs != nullptr ? *logs : own;
  log.assign(all.size(), {});
  const auto expect_nothing_left = [&] {
    for (const EmulationLog& l : log) {
      EXPECT_EQ(l.bytes_in_use, 0);
      EXPECT_EQ(l.pinned_in_use, 0);
      EXPECT_EQ(l.streams, 0);
      EXPECT_EQ(l.fault, "");
    }
  };
  try {
    std::vector<std::unique_ptr<cuda::Device>> devices;
    for (std::size_t i = 0; i < all.size(); ++i) {
      devices.push_back(test::make_emulated_device(all[i], log[i]));
    }
    cuda::table_on_devices(devices, *select_backend("cpu"), problem, grid, options, consumer,
                           limits);
  } catch (...) {
    expect_nothing_left();
    throw;
  }
  expect_nothing_left();
}

RecordedTable emulated(const Problem& problem, const std::vector<GridLine>& grid,
                       const GridOptions& options, const std::vector<EmulationOptions>& all,
                       const cuda::TableLimits& limits = {},
                       std::vector<EmulationLog>* logs = nullptr) {
  RecordedTable table(grid);
  emulate(problem, grid, options, all, table.consumer(), limits, logs);
  return table;
}

TEST(TableEmulation, ConformanceFleetsAsOnTheCpu) {
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  GridOptions options;
  options.batches = {0, 100, 3};
  options.replicas = {0, 0, 7};
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    const auto grid = grid_of(problem, options);
    EXPECT_EQ(emulated(problem, grid, options, {{}}).difference(on_cpu(problem, grid, options)),
              "");
  }
}

TEST(TableEmulation, RandomFleetsAsOnTheCpu) {
  std::mt19937_64 engine(testing::test_seed());
  std::map<Verdict, std::int64_t> seen;
  for (int fleet = 0; fleet < 10; ++fleet) {
    SCOPED_TRACE(fleet);
    const Problem problem = sample_problem(12, engine());
    const GridOptions options = sample_options(engine);
    const auto grid = grid_of(problem, options);
    const RecordedTable want = on_cpu(problem, grid, options);
    const RecordedTable got = emulated(problem, grid, options, {{.seed = engine()}});
    EXPECT_EQ(got.difference(want), "");
    for (int v = 0; v <= static_cast<int>(Verdict::kTooManyReplicas); ++v) {
      seen[static_cast<Verdict>(v)] += want.count(static_cast<Verdict>(v));
    }
  }
  for (const auto& [verdict, count] : seen) {
    EXPECT_GT(count, 0) << "the sample should have candidates of verdict " << to_string(verdict);
  }
}

TEST(TableEmulation, PercentilesAsOnTheCpu) {
  std::mt19937_64 engine(testing::test_seed());
  std::int64_t late = 0, feasible = 0;
  for (int fleet = 0; fleet < 4; ++fleet) {
    SCOPED_TRACE(fleet);
    Problem problem = sample_problem(8, engine(), 60);
    hold_to_percentiles(problem);
    GridOptions options;
    options.percentiles = fleet % 2 == 0;
    options.replicas = {0, 0, 9};
    const auto grid = grid_of(problem, options);
    EmulationLog log;
    std::vector<std::unique_ptr<cuda::Device>> devices;
    devices.push_back(test::make_emulated_device({.seed = engine()}, log));
    const CountingHost host;
    RecordedTable got(grid);
    cuda::table_on_devices(devices, host, problem, grid, options, got.consumer());
    EXPECT_EQ(host.asked, 0) << "rows were left to the host";
    const RecordedTable want = on_cpu(problem, grid, options);
    EXPECT_EQ(got.difference(want), "");
    late += want.count(Verdict::kTtftTarget);
    feasible += want.count(Verdict::kFeasible);
  }
  EXPECT_GT(late, 0);
  EXPECT_GT(feasible, 0);
}

void expect_host_rows(const Problem& problem, const GridOptions& options) {
  const auto grid = grid_of(problem, options);
  const RecordedTable want = on_cpu(problem, grid, options);
  for (const cuda::TableLimits limits : {cuda::TableLimits{}, cuda::TableLimits{64, 64}}) {
    EmulationLog log;
    std::vector<std::unique_ptr<cuda::Device>> devices;
    devices.push_back(test::make_emulated_device({}, log));
    const CountingHost host;
    RecordedTable got(grid);
    cuda::table_on_devices(devices, host, problem, grid, options, got.consumer(), limits);
    EXPECT_GT(host.asked, 0) << "no row was left to the host";
    EXPECT_EQ(got.difference(want), "");
  }
}

// More load than the recursion over lanes can represent, from the first row or a later one on.
TEST(TableEmulation, OverloadedRowsGoToTheHost) {
  const Problem problem = overloaded_problem(testing::test_seed());
  GridOptions options;
  options.replicas = {1, 200000, 9000};
  options.batches = {1, kLongest, 9};
  expect_host_rows(problem, options);
}

// Service that slows down with the batch, so that weights underflow in lanes before they rise
// again.
TEST(TableEmulation, RowsOfTinyWeightsGoToTheHost) {
  const Problem problem = faint_problem();
  GridOptions options;
  options.batches = {1, 0, 37};
  options.replicas = {1, 3, 1};
  expect_host_rows(problem, options);
}

TEST(TableEmulation, ChunksAndDevicesDoNotChangeTheTable) {
  std::mt19937_64 engine(testing::test_seed());
  const Problem problem = sample_problem(10, engine());
  GridOptions options;
  options.replicas = {0, 0, 3};
  options.batches = {2, 0, 5};
  const auto grid = grid_of(problem, options);
  const RecordedTable want = on_cpu(problem, grid, options);
  for (const cuda::TableLimits limits :
       {cuda::TableLimits{1, 1}, {3, 1 << 20}, {1 << 16, 100}, {1 << 16, 1 << 12}}) {
    for (const std::size_t devices : {1, 3}) {
      std::vector<EmulationOptions> all(devices);
      for (EmulationOptions& one : all) one.seed = engine();
      EXPECT_EQ(emulated(problem, grid, options, all, limits).difference(want), "");
    }
  }
}

TEST(TableEmulation, MemoryLimitHolds) {
  const Problem problem = sample_problem(10, testing::test_seed());
  GridOptions options;
  options.replicas = {1, 100, 3};
  options.memory_limit = 1 << 18;
  const auto grid = grid_of(problem, options);
  std::vector<EmulationLog> logs;
  const RecordedTable got = emulated(problem, grid, options, {{}}, {}, &logs);
  EXPECT_EQ(got.difference(on_cpu(problem, grid, options)), "");
  // Needs and pieces come on top of the columns.
  EXPECT_LT(logs[0].most_bytes, 2 * options.memory_limit);
}

TEST(TableEmulation, ProgressReachesTheTotal) {
  const Problem problem = sample_problem(10, testing::test_seed(), 50);
  GridOptions options;
  options.replicas = {1, 50, 7};
  const auto grid = grid_of(problem, options);
  std::int64_t last = 0;
  options.progress = [&](std::string_view, std::int64_t done, std::int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, std::ssize(grid));
    last = done;
  };
  (void)emulated(problem, grid, options, {{}, {}}, {.pieces = 5});
  EXPECT_EQ(last, std::ssize(grid));
}

TEST(TableEmulation, AnEmptyGridNeedsNoDevice) {
  std::vector<EmulationLog> logs;
  (void)emulated({}, {}, {}, {{}}, {}, &logs);
  EXPECT_EQ(logs[0].allocations, 0);
}

TEST(TableEmulation, ConsumerExceptionsEndTheWork) {
  const Problem problem = sample_problem(10, testing::test_seed());
  GridOptions options;
  options.replicas = {1, 50, 7};
  const auto grid = grid_of(problem, options);
  struct Enough {};
  std::atomic<int> blocks{0};
  const auto consumer = [&](const GridBlock&) {
    if (++blocks == 5) throw Enough{};
  };
  EXPECT_THROW(emulate(problem, grid, options, {{}, {}}, consumer, {.pieces = 4}), Enough);
}

TEST(TableMemory, AnyAllocationMayFailOnce) {
  std::mt19937_64 engine(testing::test_seed());
  const Problem problem = sample_problem(4, engine(), 100);
  GridOptions options;
  options.num_threads = 1;
  options.replicas = {1, 60, 7};
  const auto grid = grid_of(problem, options);
  std::vector<EmulationLog> logs;
  const RecordedTable want = emulated(problem, grid, options, {{}}, {}, &logs);
  const std::int64_t allocations = logs[0].allocations;
  ASSERT_GT(allocations, 10);
  for (std::int64_t n = 1; n <= allocations; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " of " + std::to_string(allocations));
    const RecordedTable got = emulated(problem, grid, options, {{.fail_from = n}}, {}, &logs);
    EXPECT_EQ(logs[0].failed_allocations, 1);
    EXPECT_EQ(got.difference(want), "");
  }
}

TEST(TableMemory, SmallerChunksWhereItIsScarce) {
  const Problem problem = sample_problem(10, testing::test_seed());
  GridOptions options;
  options.num_threads = 1;
  options.replicas = {1, 60, 7};
  const auto grid = grid_of(problem, options);
  std::vector<EmulationLog> logs;
  const RecordedTable want = emulated(problem, grid, options, {{}}, {.candidates = 1 << 14}, &logs);
  const std::int64_t memory = logs[0].most_bytes / 5;
  const RecordedTable got =
      emulated(problem, grid, options, {{.memory_bytes = memory}}, {.candidates = 1 << 14}, &logs);
  EXPECT_GT(logs[0].failed_allocations, 0);
  EXPECT_LE(logs[0].most_bytes, memory);
  EXPECT_EQ(got.difference(want), "");
}

TEST(TableMemory, StarvedDevicesLeaveWorkToTheOthers) {
  const Problem problem = sample_problem(10, testing::test_seed());
  GridOptions options;
  options.num_threads = 4;
  options.replicas = {1, 60, 7};
  const auto grid = grid_of(problem, options);
  const RecordedTable got =
      emulated(problem, grid, options, {{.memory_bytes = 64}, {.memory_bytes = 300'000}});
  EXPECT_EQ(got.difference(on_cpu(problem, grid, options)), "");
}

TEST(TableMemory, TooLittleForOneRowIsAnError) {
  const Problem problem = sample_problem(10, testing::test_seed());
  const auto grid = grid_of(problem, {});
  try {
    (void)emulated(problem, grid, {}, {{.memory_bytes = 64}});
    FAIL() << "64 bytes sufficed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("single row"), std::string::npos) << error.what();
  }
}

TEST(TableDeviceLost, IsAnErrorWhereverItHappens) {
  const Problem problem = sample_problem(8, testing::test_seed(), 80);
  GridOptions options;
  options.replicas = {1, 40, 7};
  const auto grid = grid_of(problem, options);
  std::vector<EmulationLog> logs;
  (void)emulated(problem, grid, options, {{}}, {.pieces = 10}, &logs);
  const std::int64_t launches = logs[0].launches;
  for (std::int64_t n = 1; n <= launches; n += 1 + launches / 20) {
    try {
      (void)emulated(problem, grid, options, {{.fail_launch = n}}, {.pieces = 10});
      FAIL() << "launch " << n << " of " << launches << " was lost without a word";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    }
  }
}

// Tables on an emulated device that is lost after some launches.
class LostDevice : public Evaluator {
 public:
  explicit LostDevice(std::int64_t launches) : launches_(launches) {}
  [[nodiscard]] std::string_view name() const override { return "lost"; }
  [[nodiscard]] Availability availability() const override { return {true, ""}; }
  [[nodiscard]] SearchResult search(const Problem&, const SearchOptions&) const override {
    return {};
  }
  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    EmulationLog log;
    std::vector<std::unique_ptr<cuda::Device>> devices;
    devices.push_back(test::make_emulated_device({.fail_launch = launches_}, log));
    cuda::table_on_devices(devices, *select_backend("cpu"), problem, grid, options, consumer,
                           {.pieces = 3, .candidates = 500});
  }

 private:
  std::int64_t launches_;
};

TEST(TableDeviceLost, TheCpuContinuesWhereTheDeviceStopped) {
  const Problem problem = sample_problem(8, testing::test_seed(), 80);
  GridOptions options;
  options.num_threads = 2;
  options.replicas = {1, 40, 7};
  const auto grid = grid_of(problem, options);
  const RecordedTable want = on_cpu(problem, grid, options);
  for (const std::int64_t launches : {1, 7, 20, 60}) {
    const auto both =
        make_falling_back(std::make_unique<LostDevice>(launches), select_backend("cpu"));
    RecordedTable got(grid);
    both->table(problem, grid, options, got.consumer());
    EXPECT_EQ(got.difference(want), "");
    EXPECT_EQ(both->name(), "cpu");
  }
}

TEST(TableDeviceLost, AConsumerThatFailsIsNoLostDevice) {
  const Problem problem = sample_problem(8, testing::test_seed(), 80);
  GridOptions options;
  options.num_threads = 1;
  const auto grid = grid_of(problem, options);
  const auto both = make_falling_back(select_backend("cpu"), select_backend("cpu"));
  int calls = 0;
  EXPECT_THROW(both->table(problem, grid, options,
                           [&](const GridBlock&) {
                             ++calls;
                             throw Error(ErrorCode::kUnavailable, "no room to write");
                           }),
               Error);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace tonnage
