// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Failures in the middle of an engine's work: host memory, threads, devices of unequal memory,
// callbacks. The answer is the CPU's or a documented error, and no memory is misused.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <new>

#include "bench/gpu/recorded.hpp"
#include "cuda/src/device_evaluator.hpp"
#include "emulated_device.hpp"
#include "support/seed.hpp"
#include "tests/parity/grid_samples.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage {
namespace {

using test::EmulationLog;
using test::EmulationOptions;
using namespace test::samples;

using Devices = std::vector<EmulationOptions>;

// An evaluator on emulated devices, one for each of the options, with the records of its last work.
class Emulated {
 public:
  explicit Emulated(Devices devices, const cuda::EngineOptions& options = {})
      : logs(devices.size()), devices_(std::move(devices)) {
    evaluator_ =
        cuda::make_device_evaluator([this] { return open(); }, select_backend("cpu"), options);
  }
  Emulated(const Emulated&) = delete;
  Emulated& operator=(const Emulated&) = delete;

  std::vector<EmulationLog> logs;  // of each device

  [[nodiscard]] const Evaluator& operator*() const { return *evaluator_; }
  const Evaluator* operator->() const { return evaluator_.get(); }
  // Falls back to the CPU. This object owns the devices.
  [[nodiscard]] std::unique_ptr<Evaluator> or_cpu() {
    return make_falling_back(std::move(evaluator_), select_backend("cpu"));
  }

  void expect_clean() const {
    for (const EmulationLog& log : logs) {
      EXPECT_EQ(log.bytes_in_use, 0);
      EXPECT_EQ(log.pinned_in_use, 0);
      EXPECT_EQ(log.streams, 0);
      EXPECT_EQ(log.fault, "");
    }
  }

 private:
  std::vector<std::unique_ptr<cuda::Device>> open() {
    std::vector<std::unique_ptr<cuda::Device>> opened;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      logs[i] = {};
      opened.push_back(test::make_emulated_device(devices_[i], logs[i]));
    }
    return opened;
  }

  Devices devices_;
  std::unique_ptr<Evaluator> evaluator_;
};

// Runs one piece of work of each kind; returns the difference from the CPU's answer, empty if none.
struct Work {
  const char* name;
  std::function<std::string(const Evaluator& evaluator, const ProgressCallback& progress)> run;
};

struct Fleet {
  Problem problem = sample_problem(8, testing::test_seed(), 60);
  GridOptions options;
  std::vector<GridLine> grid;
  Fleet() {
    options.num_threads = 2;
    options.replicas = {1, 40, 7};
    grid = grid_of(problem, options);
  }

  [[nodiscard]] std::vector<Work> works() const {
    const auto search = [this](const Evaluator& evaluator, const ProgressCallback& progress) {
      SearchOptions wanted;
      wanted.batch = BatchMode::kSearch;
      const SearchResult want = select_backend("cpu")->search(problem, wanted);
      wanted.progress = progress;
      return check::first_difference(evaluator.search(problem, wanted).lines, want.lines, problem);
    };
    const auto table = [this](const Evaluator& evaluator, const ProgressCallback& progress) {
      check::RecordedTable got(grid), want(grid);
      select_backend("cpu")->table(problem, grid, options, want.consumer());
      GridOptions watched = options;
      watched.progress = progress;
      evaluator.table(problem, grid, watched, got.consumer());
      return got.difference(want);
    };
    const auto points = [this](const Evaluator& evaluator, const ProgressCallback& progress) {
      check::RecordedPoints got(grid.size()), want(grid.size());
      select_backend("cpu")->points(problem, grid, options, {}, want.consumer());
      GridOptions watched = options;
      watched.progress = progress;
      evaluator.points(problem, grid, watched, {}, got.consumer());
      return got.difference(want);
    };
    return {{"search", search}, {"table", table}, {"points", points}};
  }
};

void expect_unavailable(const Work& work, const Evaluator& evaluator) {
  try {
    (void)work.run(evaluator, {});
    ADD_FAILURE() << "the failure went by without a word";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.what();
  }
}

TEST(EngineFailure, HostMemoryThatRunsOutIsAnErrorOrLeftToTheCpu) {
  const Fleet fleet;
  for (const Work& work : fleet.works()) {
    SCOPED_TRACE(work.name);
    for (const std::int64_t at : {1, 3, 8, 14}) {
      SCOPED_TRACE(at);
      Emulated alone(Devices{{.bad_alloc_at = at}});
      expect_unavailable(work, *alone);
      alone.expect_clean();
      Emulated first(Devices{{.bad_alloc_at = at}});
      const auto both = first.or_cpu();
      EXPECT_EQ(work.run(*both, {}), "");
      EXPECT_EQ(both->name(), "cpu");
      first.expect_clean();
    }
  }
}

// While it lives, no thread can get a stack.
class NoThreads {
 public:
  NoThreads() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_getattr_default_np(&before_);
    pthread_attr_setstacksize(&attributes, std::size_t{1} << 50);
    EXPECT_EQ(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

TEST(EngineFailure, AThreadThatCannotBeStartedIsAnErrorOrLeftToTheCpu) {
  // Only lines for devices, because the host's share needs threads too.
  Fleet fleet;
  hold_to_percentiles(fleet.problem);
  fleet.grid = grid_of(fleet.problem, fleet.options);
  for (const Work& work : fleet.works()) {
    SCOPED_TRACE(work.name);
    // Compute the CPU's answers while threads are available.
    const auto without_threads = [&](const Evaluator& evaluator) {
      class Starved : public Evaluator {
       public:
        explicit Starved(const Evaluator& on) : on_(on) {}
        [[nodiscard]] std::string_view name() const override { return on_.name(); }
        [[nodiscard]] Availability availability() const override { return on_.availability(); }
        [[nodiscard]] SearchResult search(const Problem& problem,
                                          const SearchOptions& options) const override {
          const NoThreads none;
          return on_.search(problem, options);
        }
        void table(const Problem& problem, std::span<const GridLine> grid,
                   const GridOptions& options, const GridConsumer& consumer) const override {
          const NoThreads none;
          on_.table(problem, grid, options, consumer);
        }
        void points(const Problem& problem, std::span<const GridLine> grid,
                    const GridOptions& options, const PointOptions& wanted,
                    const PointConsumer& consumer) const override {
          const NoThreads none;
          on_.points(problem, grid, options, wanted, consumer);
        }

       private:
        const Evaluator& on_;
      };
      return std::make_unique<Starved>(evaluator);
    };
    Emulated device(Devices(1));
    expect_unavailable(work, *without_threads(*device));
    device.expect_clean();
    const auto both = make_falling_back(without_threads(*device), select_backend("cpu"));
    EXPECT_EQ(work.run(*both, {}), "");
    EXPECT_EQ(both->name(), "cpu");
    device.expect_clean();
  }
}

TEST(EngineFailure, CallbackExceptionsArePassedOnUnchanged) {
  const Fleet fleet;
  const auto out_of_memory = [](std::string_view, std::int64_t, std::int64_t) {
    throw std::bad_alloc();
  };
  const auto unavailable = [](std::string_view, std::int64_t, std::int64_t) {
    throw Error(ErrorCode::kUnavailable, "interrupted");
  };
  for (const Work& work : fleet.works()) {
    SCOPED_TRACE(work.name);
    Emulated device(Devices(1));
    EXPECT_THROW((void)work.run(*device, out_of_memory), std::bad_alloc);
    device.expect_clean();
    const auto both = device.or_cpu();
    EXPECT_THROW((void)work.run(*both, unavailable), Error);
    EXPECT_EQ(both->name(), "cuda") << "the failure of a callback is none of the device";
  }
  Emulated device(Devices(1));
  EXPECT_THROW(device->table(fleet.problem, fleet.grid, fleet.options,
                             [](const GridBlock&) { throw std::bad_alloc(); }),
               std::bad_alloc);
  EXPECT_THROW(
      device->points(fleet.problem, fleet.grid, fleet.options, {},
                     [](std::int64_t, std::span<const ParetoPoint>) { throw std::bad_alloc(); }),
      std::bad_alloc);
  device.expect_clean();
}

TEST(EngineFailure, StagingMemoryOutlivesTheCopyWhereALaunchIsRefused) {
  const Fleet fleet;
  for (const Work& work : fleet.works()) {
    SCOPED_TRACE(work.name);
    for (const std::int64_t launch : {1, 2, 3}) {
      Emulated device(Devices{{.fail_launch = launch}});
      expect_unavailable(work, *device);
      device.expect_clean();
    }
  }
}

// A rendezvous of two threads.
class Meeting {
 public:
  void arrive(int place) {
    const std::lock_guard lock(mutex_);
    reached_ = std::max(reached_, place);
    changed_.notify_all();
  }
  void await(int place) {
    std::unique_lock lock(mutex_);
    // Do not wait if the other thread has failed.
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return reached_ >= place; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int reached_ = 0;
};

// Lines in groups of `length`, separated by servers without lines.
Problem problem_with_gaps(std::size_t length, std::int32_t gap) {
  Problem problem = check::random_problem({.servers = 40,
                                           .accelerators = 1,
                                           .seed = testing::test_seed(),
                                           .longest = 50,
                                           .percentiles = false});
  Problem sparse = problem;
  sparse.servers.clear();
  sparse.first_line = {0};
  for (std::size_t i = 0; i < problem.lines.size(); ++i) {
    const auto server = problem.lines[i].server;
    const std::int32_t before = i > 0 && i % length == 0 ? gap : 0;
    for (std::int32_t k = 0; k <= before; ++k) {
      sparse.servers.push_back(problem.servers[server]);
      sparse.first_line.push_back(static_cast<std::int64_t>(i) + (k == before ? 1 : 0));
    }
    sparse.lines[i].server = static_cast<std::int32_t>(sparse.servers.size()) - 1;
  }
  return sparse;
}

// The device with enough memory begins its chunk of 8 lines after one of 4, across a gap.
TEST(EngineFailure, ADeviceThatHalvedItsChunksShiftsThoseOfTheOther) {
  const Problem problem = problem_with_gaps(8, 10);
  ASSERT_GT(problem.lines.size(), 20u);
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    SearchOptions options;
    options.batch = batch;
    Meeting meeting;
    // Launch 1 comes before the first chunk is taken, launch 2 after.
    const auto halved = [&](std::int64_t launch) {
      if (launch == 2) meeting.arrive(1);
      if (launch == 2) meeting.await(2);
    };
    const auto whole = [&](std::int64_t launch) {
      if (launch == 1) meeting.await(1);
      if (launch == 2) meeting.arrive(2);
    };
    cuda::EngineOptions chunks;
    chunks.search.lines = 8;
    Emulated devices(Devices{{.fail_from = 3, .on_launch = halved}, {.on_launch = whole}}, chunks);
    const SearchResult got = devices->search(problem, options);
    EXPECT_EQ(devices.logs[0].failed_allocations, 1);
    EXPECT_EQ(check::first_difference(
                  got.lines, select_backend("cpu")->search(problem, options).lines, problem),
              "");
    devices.expect_clean();
  }
}

TEST(EngineFailure, UnequalDevicesGiveTheAnswersOfTheCpu) {
  const Fleet fleet;
  cuda::EngineOptions small;
  small.search = {.lines = 6, .entries = 256};
  small.table = {.pieces = 3, .candidates = 700};
  small.points = {.lines = 3, .rows = 70, .threads = 20, .points = 9};
  for (const Work& work : fleet.works()) {
    SCOPED_TRACE(work.name);
    for (const std::int64_t fail_from : {2, 5, 9}) {
      Emulated devices(Devices{{.fail_from = fail_from, .fail_count = 2}, {}}, small);
      EXPECT_EQ(work.run(*devices, {}), "");
      EXPECT_GT(devices.logs[0].failed_allocations, 0);
      devices.expect_clean();
    }
  }
}

}  // namespace
}  // namespace tonnage
