// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The frontier's points from the CUDA backend over an emulation of the launch grid: those of the
// CPU evaluator, bit for bit, whatever the chunks, the windows, the devices and the memory.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "bench/gpu/recorded.hpp"
#include "cuda/src/grid/point_engine.hpp"
#include "cuda/src/grid/table_engine.hpp"
#include "emulated_device.hpp"
#include "support/seed.hpp"
#include "tests/parity/conformance_problems.hpp"
#include "tests/parity/grid_samples.hpp"
#include "tonnage/host/pareto.hpp"

namespace tonnage {
namespace {

using Points = check::RecordedPoints;
using test::EmulationLog;
using test::EmulationOptions;
using namespace test::samples;

struct Case {
  Problem problem;
  GridOptions options;
  PointOptions wanted;
  std::vector<GridLine> grid;

  Case(Problem of, const GridOptions& with, const PointOptions& keep = {})
      : problem(std::move(of)), options(with), wanted(keep), grid(grid_of(problem, options)) {}

  [[nodiscard]] Points on_cpu() const {
    Points points(grid.size());
    select_backend("cpu")->points(problem, grid, options, wanted, points.consumer());
    return points;
  }
  // Opens one emulated device for each of `all`; expects that nothing is left of them afterwards.
  void emulate(const std::vector<EmulationOptions>& all, const PointConsumer& consumer,
               const cuda::PointLimits& limits = {}, std::vector<EmulationLog>* logs = nullptr,
               const Evaluator* host = nullptr) const {
    std::vector<EmulationLog> own(all.size());
    std::vector<EmulationLog>& log = logs != nullptr ? *logs : own;
    log.assign(all.size(), {});
    const auto cpu = select_backend("cpu");
    {
      std::vector<std::unique_ptr<cuda::Device>> devices;
      for (std::size_t i = 0; i < all.size(); ++i) {
        devices.push_back(test::make_emulated_device(all[i], log[i]));
      }
      cuda::points_on_devices(devices, host != nullptr ? *host : *cpu, problem, grid, options,
                              wanted, consumer, limits);
    }
    for (const EmulationLog& l : log) {
      EXPECT_EQ(l.bytes_in_use, 0);
      EXPECT_EQ(l.pinned_in_use, 0);
      EXPECT_EQ(l.streams, 0);
      EXPECT_EQ(l.fault, "");
    }
  }
  [[nodiscard]] Points emulated(const std::vector<EmulationOptions>& all,
                                const cuda::PointLimits& limits = {},
                                std::vector<EmulationLog>* logs = nullptr) const {
    Points points(grid.size());
    emulate(all, points.consumer(), limits, logs);
    return points;
  }
};

TEST(PointEmulation, ConformanceFleetsAsOnTheCpu) {
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  GridOptions options;
  options.batches = {0, 200, 3};
  options.replicas = {0, 0, 5};
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    const Case c(problem, options);
    EXPECT_EQ(c.emulated({{}}).difference(c.on_cpu()), "");
  }
}

TEST(PointEmulation, RandomFleetsAsOnTheCpu) {
  std::mt19937_64 engine(testing::test_seed());
  std::int64_t points = 0;
  for (int fleet = 0; fleet < 10; ++fleet) {
    SCOPED_TRACE(fleet);
    PointOptions wanted;
    wanted.ignore_targets = fleet % 3 == 0;
    const Case c(sample_problem(12, engine()), sample_options(engine), wanted);
    const Points want = c.on_cpu();
    EXPECT_EQ(c.emulated({{.seed = engine()}}).difference(want), "");
    points += want.count();
  }
  EXPECT_GT(points, 0);
}

// Frontiers of a percentile come from the table of the devices.
TEST(PointEmulation, PercentilesAsOnTheCpu) {
  class Emulated : public CountingHost {
   public:
    void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
               const GridConsumer& consumer) const override {
      EmulationLog log;
      std::vector<std::unique_ptr<cuda::Device>> devices;
      devices.push_back(test::make_emulated_device({}, log));
      cuda::table_on_devices(devices, *this, problem, grid, options, consumer);
    }
  };
  GridOptions options;
  options.percentiles = true;
  options.replicas = {0, 0, 9};
  PointOptions wanted;
  wanted.ttft = GridColumn::kTtftP95;
  Problem problem = sample_problem(12, testing::test_seed(), 60);
  hold_to_percentiles(problem);
  const Case c(problem, options, wanted);
  const Emulated device;
  Points got(c.grid.size());
  device.Evaluator::points(c.problem, c.grid, c.options, c.wanted, got.consumer());
  EXPECT_EQ(got.difference(c.on_cpu()), "");
  EXPECT_GT(got.count(), 0);
}

// Verdicts on a percentile need the table; with targets ignored the host computes these lines.
TEST(PointEmulation, TargetsOnPercentilesAsOnTheCpu) {
  Problem problem = sample_problem(8, testing::test_seed(), 60);
  hold_to_percentiles(problem);
  GridOptions options;
  options.replicas = {0, 0, 5};
  for (const bool ignore_targets : {false, true}) {
    PointOptions wanted;
    wanted.ignore_targets = ignore_targets;
    const Case c(problem, options, wanted);
    EmulationLog log;
    std::vector<std::unique_ptr<cuda::Device>> devices;
    devices.push_back(test::make_emulated_device({}, log));
    const CountingHost host;
    Points got(c.grid.size());
    cuda::points_on_devices(devices, host, c.problem, c.grid, c.options, c.wanted, got.consumer());
    EXPECT_EQ(host.asked > 0, ignore_targets);
    EXPECT_EQ(got.difference(c.on_cpu()), "");
    EXPECT_GT(got.count(), 0);
  }
}

TEST(PointEmulation, LinesForTheHostAsOnTheCpu) {
  GridOptions overloaded, faint;
  overloaded.replicas = {1, 200000, 9000};
  overloaded.batches = {1, kLongest, 9};
  faint.batches = {1, 0, 37};
  faint.replicas = {1, 3, 1};
  const Case cases[] = {
      {overloaded_problem(testing::test_seed()), overloaded, {.ignore_targets = true}},
      {faint_problem(), faint, {.ignore_targets = true}}};
  for (const Case& c : cases) {
    const CountingHost host;
    Points got(c.grid.size());
    c.emulate({{}}, got.consumer(), {}, nullptr, &host);
    EXPECT_GT(host.asked, 0) << "no line was left to the host";
    EXPECT_EQ(got.difference(c.on_cpu()), "");
  }
}

TEST(PointEmulation, ChunksWindowsAndDevicesDoNotChangeThePoints) {
  std::mt19937_64 engine(testing::test_seed());
  GridOptions options;
  options.replicas = {0, 0, 3};
  const Case c(sample_problem(6, engine(), 100), options, {.ignore_targets = true});
  const Points want = c.on_cpu();
  for (const cuda::PointLimits limits :
       {cuda::PointLimits{1, 1, 1, 1 << 10}, {50, 1 << 12, 1 << 12, 7}, {3, 1 << 20, 100, 1}}) {
    for (const std::size_t devices : {1, 3}) {
      std::vector<EmulationOptions> all(devices);
      for (EmulationOptions& one : all) one.seed = engine();
      EXPECT_EQ(c.emulated(all, limits).difference(want), "");
    }
  }
}

TEST(PointEmulation, FrontiersOfServersAsOnTheCpu) {
  // From end to end, with a backend on an emulated device.
  class Emulated : public CountingHost {
   public:
    void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
                const PointOptions& wanted, const PointConsumer& consumer) const override {
      EmulationLog log;
      std::vector<std::unique_ptr<cuda::Device>> devices;
      devices.push_back(test::make_emulated_device({}, log));
      cuda::points_on_devices(devices, *select_backend("cpu"), problem, grid, options, wanted,
                              consumer);
    }
  };
  const Problem problem = sample_problem(8, testing::test_seed());
  std::vector<std::int64_t> servers;
  for (std::int64_t s = 0; s < std::ssize(problem.servers); ++s) servers.push_back(s);
  ParetoOptions options;
  options.tolerance = 0.01;
  const auto want = pareto_frontiers(*select_backend("cpu"), problem, servers, options);
  const auto got = pareto_frontiers(Emulated(), problem, servers, options);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t s = 0; s < want.size(); ++s) {
    ASSERT_EQ(got[s].points.size(), want[s].points.size());
    for (std::size_t i = 0; i < want[s].points.size(); ++i) {
      EXPECT_EQ(got[s].points[i].batch, want[s].points[i].batch);
      EXPECT_EQ(got[s].points[i].ttft_ms, want[s].points[i].ttft_ms);
    }
  }
}

TEST(PointEmulation, AnEmptyGridNeedsNoDevice) {
  std::vector<EmulationLog> logs;
  const Case c({}, {});
  (void)c.emulated({{}}, {}, &logs);
  EXPECT_EQ(logs[0].allocations, 0);
}

TEST(PointEmulation, ConsumerExceptionsEndTheWork) {
  GridOptions options;
  options.replicas = {1, 50, 7};
  const Case c(sample_problem(10, testing::test_seed()), options);
  struct Enough {};
  std::atomic<int> lines{0};
  const auto consumer = [&](std::int64_t, std::span<const ParetoPoint>) {
    if (++lines == 5) throw Enough{};
  };
  EXPECT_THROW(c.emulate({{}, {}}, consumer, {.lines = 4}), Enough);
}

TEST(PointMemory, AnyAllocationMayFailOnce) {
  GridOptions options;
  options.num_threads = 1;
  options.replicas = {1, 60, 7};
  const Case c(sample_problem(4, testing::test_seed(), 100), options);
  std::vector<EmulationLog> logs;
  const Points want = c.emulated({{}}, {}, &logs);
  const std::int64_t allocations = logs[0].allocations;
  ASSERT_GT(allocations, 10);
  for (std::int64_t n = 1; n <= allocations; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " of " + std::to_string(allocations));
    const Points got = c.emulated({{.fail_from = n}}, {}, &logs);
    EXPECT_EQ(logs[0].failed_allocations, 1);
    EXPECT_EQ(got.difference(want), "");
  }
}

TEST(PointMemory, ScarceMeansSmallerChunksAndNoneIsAnError) {
  GridOptions options;
  options.num_threads = 2;
  options.replicas = {1, 60, 7};
  const Case c(sample_problem(10, testing::test_seed()), options);
  std::vector<EmulationLog> logs;
  const Points want = c.emulated({{}}, {.points = 1 << 12}, &logs);
  const Points got =
      c.emulated({{.memory_bytes = logs[0].most_bytes / 5}}, {.points = 1 << 12}, &logs);
  EXPECT_GT(logs[0].failed_allocations, 0);
  EXPECT_EQ(got.difference(want), "");
  try {
    (void)c.emulated({{.memory_bytes = 64}});
    FAIL() << "64 bytes sufficed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("single line"), std::string::npos) << error.what();
  }
}

TEST(PointDeviceLost, TheCpuTakesTheRemainingLines) {
  class Lost : public CountingHost {
   public:
    explicit Lost(std::int64_t launches) : launches_(launches) {}
    void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
                const PointOptions& wanted, const PointConsumer& consumer) const override {
      EmulationLog log;
      std::vector<std::unique_ptr<cuda::Device>> devices;
      devices.push_back(test::make_emulated_device({.fail_launch = launches_}, log));
      cuda::points_on_devices(devices, *select_backend("cpu"), problem, grid, options, wanted,
                              consumer, {.lines = 3, .points = 50});
    }

   private:
    std::int64_t launches_;
  };
  GridOptions options;
  options.num_threads = 2;
  options.replicas = {1, 40, 7};
  const Case c(sample_problem(8, testing::test_seed(), 80), options);
  const Points want = c.on_cpu();
  for (const std::int64_t launches : {1, 7, 20, 60}) {
    const auto both = make_falling_back(std::make_unique<Lost>(launches), select_backend("cpu"));
    Points got(c.grid.size());
    both->points(c.problem, c.grid, c.options, c.wanted, got.consumer());
    EXPECT_EQ(got.difference(want), "");
  }
}

}  // namespace
}  // namespace tonnage
