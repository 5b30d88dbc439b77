// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The engine and the kernel bodies of the CUDA backend over an emulation of the launch grid: the
// answers of the CPU evaluator, bit for bit, whatever the chunks, the devices and the memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bench/gpu/random_problem.hpp"
#include "cuda/src/search/engine.hpp"
#include "emulated_device.hpp"
#include "support/seed.hpp"
#include "tests/parity/conformance_problems.hpp"
#include "tests/parity/grid_samples.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage {
namespace {

using test::EmulationLog;
using test::EmulationOptions;

// Longest line: emulated sweeps of longer ones take seconds.
constexpr std::int64_t kLongest = 400;

SearchOptions mode(BatchMode batch, bool exhaustive = false) {
  SearchOptions options;
  options.batch = batch;
  options.exhaustive = exhaustive;
  return options;
}

SearchResult search_on_cpu(const Problem& problem, const SearchOptions& options) {
  return select_backend("cpu")->search(problem, options);
}

// Opens one emulated device for each of `all`; expects that nothing is left of them afterwards.
SearchResult emulate(const Problem& problem, const SearchOptions& options,
                     const std::vector<EmulationOptions>& all,
                     const cuda::EngineLimits& limits = {},
                     std::vector<EmulationLog>* logs = nullptr) {
  std::vector<EmulationLog> own(all.size());
  std::vector<EmulationLog>& log = logs != nullptr ? *logs : own;
  log.assign(all.size(), {});
  SearchResult result;
  {
    std::vector<std::unique_ptr<cuda::Device>> devices;
    for (std::size_t i = 0; i < all.size(); ++i) {
      devices.push_back(test::make_emulated_device(all[i], log[i]));
    }
    result = cuda::search_on_devices(devices, *select_backend("cpu"), problem, options, limits);
  }
  for (const EmulationLog& l : log) {
    EXPECT_EQ(l.bytes_in_use, 0);
    EXPECT_EQ(l.pinned_in_use, 0);
    EXPECT_EQ(l.streams, 0);
    EXPECT_EQ(l.fault, "");
  }
  return result;
}

TEST(Emulation, ConformanceFleetsSizedAsOnTheCpu) {
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    const SearchOptions options = mode(BatchMode::kMax);
    EXPECT_EQ(check::first_difference(emulate(problem, options, {{}}).lines,
                                      search_on_cpu(problem, options).lines, problem),
              "");
  }
}

TEST(Emulation, ConformanceFleetsSearchedAsOnTheCpu) {
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    const SearchOptions options = mode(BatchMode::kSearch);
    EXPECT_EQ(check::first_difference(emulate(problem, options, {{}}).lines,
                                      search_on_cpu(problem, options).lines, problem),
              "");
  }
}

TEST(Emulation, RandomFleetsSizedAsOnTheCpu) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 10; ++fleet) {
    SCOPED_TRACE(fleet);
    // Percentiles of long lines take minutes under sanitizers.
    const bool percentiles = fleet % 2 == 0;
    const Problem problem = check::random_problem({.servers = percentiles ? 40 : 150,
                                                   .seed = engine(),
                                                   .longest = percentiles ? kLongest : 0,
                                                   .percentiles = percentiles});
    const SearchOptions options = mode(BatchMode::kMax);
    const SearchResult want = search_on_cpu(problem, options);
    EXPECT_EQ(check::first_difference(emulate(problem, options, {{.seed = engine()}}).lines,
                                      want.lines, problem),
              "");
  }
}

TEST(Emulation, RandomFleetsSearchedAsOnTheCpu) {
  std::mt19937_64 engine(testing::test_seed());
  int smaller = 0;
  for (int fleet = 0; fleet < 8; ++fleet) {
    SCOPED_TRACE(fleet);
    const Problem problem =
        check::random_problem({.servers = 12, .seed = engine(), .longest = kLongest});
    const SearchOptions options = mode(BatchMode::kSearch);
    const SearchResult want = search_on_cpu(problem, options);
    const SearchResult got = emulate(problem, options, {{.seed = engine()}});
    EXPECT_EQ(check::first_difference(got.lines, want.lines, problem), "");
    EXPECT_GT(got.candidates_swept, 0);
    for (std::size_t i = 0; i < got.lines.size(); ++i) {
      smaller += got.lines[i].max_batch < batch_ceiling(problem.servers[problem.lines[i].server],
                                                        problem.perfs[problem.lines[i].perf]);
    }
  }
  EXPECT_GT(smaller, 0) << "the sample should have lines where a smaller batch size wins";
}

TEST(Emulation, PercentilesRunOnTheDevice) {
  std::mt19937_64 engine(testing::test_seed());
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    Problem problem = check::random_problem({.servers = 20, .seed = engine(), .longest = kLongest});
    test::samples::hold_to_percentiles(problem);
    EmulationLog log;
    std::vector<std::unique_ptr<cuda::Device>> devices;
    devices.push_back(test::make_emulated_device({.seed = engine()}, log));
    const test::samples::CountingHost host;
    const SearchResult got = cuda::search_on_devices(devices, host, problem, mode(batch), {});
    EXPECT_EQ(host.asked, 0) << "lines were left to the host";
    EXPECT_EQ(
        check::first_difference(got.lines, search_on_cpu(problem, mode(batch)).lines, problem), "");
    EXPECT_TRUE(std::any_of(got.lines.begin(), got.lines.end(),
                            [](const LineOutcome& line) { return line.feasible(); }));
  }
}

TEST(Emulation, ChunksAndDevicesDoNotChangeTheAnswer) {
  std::mt19937_64 engine(testing::test_seed());
  const Problem problem =
      check::random_problem({.servers = 12, .seed = engine(), .longest = kLongest});
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    const SearchOptions options = mode(batch);
    const SearchResult whole = emulate(problem, options, {{}});
    EXPECT_EQ(check::first_difference(whole.lines, search_on_cpu(problem, options).lines, problem),
              "");
    for (const cuda::EngineLimits limits :
         {cuda::EngineLimits{1, 1}, {7, 1 << 12}, {64, 1}, {1'000'000, 1 << 14}}) {
      for (const std::size_t devices : {1, 3}) {
        std::vector<EmulationOptions> all(devices);
        for (EmulationOptions& one : all) one.seed = engine();
        const SearchResult got = emulate(problem, options, all, limits);
        EXPECT_EQ(check::first_difference(got.lines, whole.lines, problem), "");
        EXPECT_EQ(got.candidates_swept, whole.candidates_swept);
        EXPECT_EQ(got.candidates_passed, whole.candidates_passed);
      }
    }
  }
}

TEST(Emulation, ServersWithoutLinesInBetween) {
  const Problem problem = check::random_problem({.servers = 8, .seed = testing::test_seed()});
  // Each server 51 times, only the last copy with lines.
  constexpr std::int32_t kTimes = 51;
  Problem sparse = problem;
  sparse.servers.clear();
  sparse.first_line = {0};
  for (std::size_t s = 0; s < problem.servers.size() * kTimes; ++s) {
    sparse.servers.push_back(problem.servers[s / kTimes]);
    sparse.first_line.push_back(problem.first_line[(s + 1) / kTimes]);
  }
  for (LineRow& line : sparse.lines) line.server = line.server * kTimes + kTimes - 1;
  const SearchOptions options = mode(BatchMode::kMax);
  EXPECT_EQ(check::first_difference(emulate(sparse, options, {{}}, {.lines = 5}).lines,
                                    search_on_cpu(problem, options).lines, problem),
            "");
}

TEST(Emulation, ProgressReachesTheTotal) {
  const Problem problem = check::random_problem({.servers = 30, .seed = testing::test_seed()});
  SearchOptions options = mode(BatchMode::kMax);
  std::int64_t last = 0;
  options.progress = [&](std::string_view, std::int64_t done, std::int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, static_cast<std::int64_t>(problem.lines.size()));
    last = done;
  };
  (void)emulate(problem, options, {{}, {}}, {.lines = 10});
  EXPECT_EQ(last, static_cast<std::int64_t>(problem.lines.size()));
}

TEST(Emulation, AnEmptyProblemNeedsNoDevice) {
  std::vector<EmulationLog> logs;
  EXPECT_TRUE(emulate({}, mode(BatchMode::kSearch), {{}}, {}, &logs).lines.empty());
  EXPECT_EQ(logs[0].allocations, 0);
}

TEST(DeviceMemory, AnyAllocationMayFailOnce) {
  std::mt19937_64 engine(testing::test_seed());
  const Problem problem = check::random_problem({.servers = 8, .seed = engine(), .longest = 100});
  const SearchOptions options = mode(BatchMode::kSearch);
  std::vector<EmulationLog> logs;
  const SearchResult want = emulate(problem, options, {{}}, {}, &logs);
  const std::int64_t allocations = logs[0].allocations;
  ASSERT_GT(allocations, 10);
  for (std::int64_t n = 1; n < allocations; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " of " + std::to_string(allocations));
    const SearchResult got = emulate(problem, options, {{.fail_from = n}}, {}, &logs);
    EXPECT_EQ(logs[0].failed_allocations, 1);
    EXPECT_EQ(check::first_difference(got.lines, want.lines, problem), "");
  }
}

TEST(DeviceMemory, SmallerChunksWhereItIsScarce) {
  const Problem problem =
      check::random_problem({.servers = 60, .seed = testing::test_seed(), .longest = kLongest});
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    const SearchOptions options = mode(batch);
    std::vector<EmulationLog> logs;
    const SearchResult want = emulate(problem, options, {{}}, {}, &logs);
    const std::int64_t memory = logs[0].most_bytes / 5;
    const SearchResult got = emulate(problem, options, {{.memory_bytes = memory}}, {}, &logs);
    EXPECT_GT(logs[0].failed_allocations, 0);
    EXPECT_LE(logs[0].most_bytes, memory);
    EXPECT_EQ(check::first_difference(got.lines, want.lines, problem), "");
  }
}

TEST(DeviceMemory, TooLittleForALineIsAClearError) {
  const Problem problem =
      check::random_problem({.servers = 20, .seed = testing::test_seed(), .longest = kLongest});
  try {
    (void)emulate(problem, mode(BatchMode::kSearch), {{.memory_bytes = 64}});
    FAIL() << "64 bytes sufficed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    const std::string text = error.what();
    EXPECT_NE(text.find("emulated device"), std::string::npos) << text;
    EXPECT_NE(text.find("out of device memory"), std::string::npos) << text;
    EXPECT_NE(text.find("bytes"), std::string::npos) << text;
  }
}

TEST(DeviceMemory, OneStarvedDeviceFailsTheSearchWithoutLeaks) {
  const Problem problem =
      check::random_problem({.servers = 20, .seed = testing::test_seed(), .longest = kLongest});
  EXPECT_THROW((void)emulate(problem, mode(BatchMode::kMax), {{}, {.memory_bytes = 64}}), Error);
}

TEST(DeviceLost, IsAnErrorWhereverItHappens) {
  const Problem problem =
      check::random_problem({.servers = 20, .seed = testing::test_seed(), .longest = 100});
  const SearchOptions options = mode(BatchMode::kSearch);
  std::vector<EmulationLog> logs;
  (void)emulate(problem, options, {{}}, {.lines = 10}, &logs);
  const std::int64_t launches = logs[0].launches;
  for (std::int64_t n = 1; n <= launches; n += 1 + launches / 20) {
    try {
      (void)emulate(problem, options, {{.fail_launch = n}}, {.lines = 10});
      FAIL() << "launch " << n << " of " << launches << " was lost without a word";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    }
  }
}

// Long lines of which a device would have to size too many batch sizes go to the host.
TEST(Emulation, LongUnsettledLinesGoToTheHost) {
  std::mt19937_64 engine(testing::test_seed());
  Problem problem;
  problem.accelerators.emplace_back(AcceleratorSpec{});
  PerfRow perf{};
  perf.alpha_ms = 20;
  perf.beta_ms = 0.02;
  perf.gamma_ms = 0.0009;
  perf.token_budget = 512;
  perf.cost_per_replica = 1;
  perf.instances_per_replica = 1;
  perf.valid = true;
  problem.perfs.push_back(perf);
  constexpr std::int64_t kCeiling = 3 * kShortLine;
  for (int i = 0; i < 6; ++i) {
    ServerRow server{};
    server.in_tokens = 300;
    server.out_tokens = 1 + static_cast<double>(engine() % 20);
    server.max_batch = i == 0 ? 100 : kCeiling;
    server.max_queue = static_cast<std::int64_t>(engine() % 100);
    server.min_replicas = 1;
    server.total_rate_per_ms = 1e-3 * static_cast<double>(1 + engine() % 10000);
    server.load_kind = LoadKind::kLoaded;
    server.targets.itl_ms = i < 2 ? 1e-6 : 100.0 * i;  // two out of reach
    problem.servers.push_back(server);
    problem.lines.push_back({i, 0});
  }
  const SearchOptions options = mode(BatchMode::kSearch);
  EmulationLog log;
  std::vector<std::unique_ptr<cuda::Device>> devices;
  devices.push_back(test::make_emulated_device({.seed = engine()}, log));
  const test::samples::CountingHost host;
  const SearchResult got = cuda::search_on_devices(devices, host, problem, options, {});
  EXPECT_EQ(host.asked, 1);
  EXPECT_LT(got.batches_sized, std::ssize(problem.lines) * 5 * kMostSized);
  EXPECT_EQ(check::first_difference(got.lines, search_on_cpu(problem, options).lines, problem), "");
}

TEST(Emulation, WholeGridGivesTheSameAnswersAndCounts) {
  std::mt19937_64 engine(testing::test_seed());
  Problem problem = check::random_problem({.servers = 60, .seed = engine(), .longest = 100});
  check::bound_replicas(problem, *select_backend("cpu"), 150);
  const SearchOptions options = mode(BatchMode::kSearch, true);
  const SearchResult want = search_on_cpu(problem, options);
  const SearchResult got = emulate(problem, options, {{.seed = engine()}});
  EXPECT_EQ(check::first_difference(got.lines, want.lines, problem), "");
  EXPECT_EQ(got.candidates_swept, want.candidates_swept);
  EXPECT_EQ(got.candidates_passed, want.candidates_passed);
  EXPECT_GT(got.candidates_passed, 0);
}

}  // namespace
}  // namespace tonnage
