// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The check of a GPU machine on an emulated device: every group of benchmarks and every kind of
// parity runs, compares its answers and reports failures, so that no time on a GPU is lost to
// faults of the check.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/groups/bench_searches.hpp"
#include "bench/gpu/kernel_names.hpp"
#include "bench/gpu/parity.hpp"
#include "bench/gpu/profile.hpp"
#include "bench/gpu/random_problem.hpp"
#include "support/seed.hpp"
#include "tests/parity/emulation/emulated_device.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage {
namespace {

using namespace check;
using test::EmulationLog;
using test::EmulationOptions;

// Opens one emulated device at a time and remembers the first fault of any.
class Machine {
 public:
  explicit Machine(EmulationOptions options = {}) : options_(std::move(options)) {}
  [[nodiscard]] cuda::OpenDevices opener() {
    return [this] {
      logs_.push_back(std::make_unique<EmulationLog>());
      std::vector<std::unique_ptr<cuda::Device>> devices;
      devices.push_back(test::make_emulated_device(options_, *logs_.back()));
      return devices;
    };
  }
  void expect_clean() const {
    for (const auto& log : logs_) {
      EXPECT_EQ(log->bytes_in_use, 0);
      EXPECT_EQ(log->streams, 0);
      EXPECT_EQ(log->fault, "");
    }
  }

 private:
  EmulationOptions options_;
  std::vector<std::unique_ptr<EmulationLog>> logs_;
};

BenchSetup tiny_setup(const cuda::OpenDevices& open) {
  BenchSetup setup;
  setup.open = open;
  setup.sweep_candidates = 1 << 15;
  setup.sweep_ceiling = 1024;
  setup.chunk_lines = 60;
  setup.table_candidates = 1 << 10;
  setup.table_servers = 10;
  setup.table_ceiling = 64;
  setup.table_replicas = 8;
  setup.search_servers = 10;
  setup.different_servers = 5;
  setup.repeats = 1;
  setup.budget_share = 100;  // sanitizers and loaded machines are slow
  if (open) {
    setup.ceilings = {{"none", [] { return Measure{1, 1, "fma"}; }}};
    setup.cold = [open](std::int64_t servers) {
      return ColdTimes{read_times(cold_search(open, servers, false)).all,
                       read_times(cold_search(open, servers, true))};
    };
  }
  return setup;
}

bool any_begins(const std::vector<std::string>& names, const std::string& prefix) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.starts_with(prefix); });
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class BenchGroup : public ::testing::TestWithParam<std::string> {};

TEST_P(BenchGroup, RunsAndComparesOnAnEmulatedDevice) {
  Machine machine;
  Report report;
  ::testing::internal::CaptureStdout();
  run_benchmarks(tiny_setup(machine.opener()), GetParam(), report);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(report.failures(), 0) << printed;
  EXPECT_TRUE(any_begins(report.names(), "gpu/")) << printed;
  EXPECT_EQ(any_begins(report.names(), "cpu/"), GetParam() != "ceilings") << printed;
  machine.expect_clean();
}

TEST_P(BenchGroup, RunsOnTheCpuAlone) {
  Report report;
  ::testing::internal::CaptureStdout();
  run_benchmarks(tiny_setup({}), GetParam(), report);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(report.failures(), 0) << printed;
  EXPECT_FALSE(any_begins(report.names(), "gpu/")) << printed;
  EXPECT_EQ(any_begins(report.names(), "cpu/"), GetParam() != "ceilings") << printed;
}

TEST_P(BenchGroup, RecordsWhatFailsAndGoesOn) {
  if (GetParam() == "ceilings") GTEST_SKIP() << "ceilings take no device of the engine";
  Machine machine({.fail_from = 1, .fail_count = 1 << 30});
  const std::string path = ::testing::TempDir() + "gpu_check_" + GetParam() + ".json";
  Report report(path);
  ::testing::internal::CaptureStdout();
  run_benchmarks(tiny_setup(machine.opener()), GetParam(), report);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_GT(report.failures(), GetParam() == "order" ? 0 : 1) << printed;
  EXPECT_TRUE(any_begins(report.names(), "cpu/"));
  EXPECT_NE(printed.find(" memory: "), std::string::npos) << printed;
  const std::string file = text_of(path);
  EXPECT_NE(file.find("\"error_occurred\": true, \"error_message\": \""), std::string::npos)
      << file;
  machine.expect_clean();
}

INSTANTIATE_TEST_SUITE_P(All, BenchGroup, ::testing::ValuesIn(bench_groups()),
                         [](const auto& group) {
                           std::string name = group.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Bench, WrongAnswersAreNoResult) {
  // The second copy to the host of a chunk that is only sized holds the answers.
  Machine machine({.bad_download = 2});
  Report report;
  ::testing::internal::CaptureStdout();
  run_benchmarks(tiny_setup(machine.opener()), "sizing", report);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_NE(printed.find("bench gpu/size/plain: FAILED: GPU and CPU differ: line "),
            std::string::npos)
      << printed;
}

TEST(Bench, ASpentBudgetLeavesOutAndSaysSo) {
  Machine machine;
  BenchSetup setup = tiny_setup(machine.opener());
  setup.budget_share = 0;
  Report report;
  ::testing::internal::CaptureStdout();
  run_benchmarks(setup, "", report);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(report.names().empty());
  for (const std::string& group : bench_groups()) {
    EXPECT_NE(printed.find(group + ": "), std::string::npos) << printed;
  }
  EXPECT_NE(printed.find("left out: gpu/ceiling/none"), std::string::npos) << printed;
}

TEST(Bench, TheFileIsWholeAfterEveryResult) {
  const std::string path = ::testing::TempDir() + "gpu_check_report.json";
  Report report(path);
  report.add_context("gpu", quoted("A \"GPU\"\n"));
  ::testing::internal::CaptureStdout();
  report.add("one", {0.5, 10, "lines"});
  EXPECT_EQ(text_of(path),
            "{\n \"context\": {\n  \"gpu\": \"A \\\"GPU\\\"\\u000a\"\n },\n \"benchmarks\": [\n"
            "  {\"name\": \"one\", \"real_time\": 500000000, \"time_unit\": \"ns\", "
            "\"lines_per_second\": 20}\n ]\n}\n");
  report.add_failure("two", "lost\nfor good");
  EXPECT_NE(text_of(path).find("},\n  {\"name\": \"two\", \"error_occurred\": true, "
                               "\"error_message\": \"lost\\u000afor good\"}\n ]\n}\n"),
            std::string::npos);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "bench one: 20 lines/s\nbench two: FAILED: lost for good\n");
  EXPECT_THROW(Report("/nowhere/at/all.json").write(), Failure);
}

TEST(Parity, EveryKindHoldsOnAnEmulatedDevice) {
  Machine machine;
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(
      run_parity(machine.opener(), {.seed = testing::test_seed(), .small = true, .only = {}}));
  const std::string printed = ::testing::internal::GetCapturedStdout();
  for (const std::string& kind : parity_kinds()) {
    EXPECT_NE(printed.find("\nparity " + kind + ": ok\n"), std::string::npos) << printed;
  }
  machine.expect_clean();
}

TEST(Parity, AFailureIsAVerdictAndTheOthersFollow) {
  Machine lost({.fail_launch = 1});
  ::testing::internal::CaptureStdout();
  EXPECT_FALSE(run_parity(lost.opener(), {.seed = 5, .small = true, .only = {}}));
  const std::string printed = ::testing::internal::GetCapturedStdout();
  for (const std::string& kind : parity_kinds()) {
    EXPECT_NE(printed.find("parity " + kind + ": FAILED: the emulated device is lost, seed 5\n"),
              std::string::npos)
        << printed;
  }
  lost.expect_clean();
}

TEST(Parity, WrongAnswersFail) {
  Machine wrong({.bad_download = 2});
  ::testing::internal::CaptureStdout();
  EXPECT_FALSE(run_parity(wrong.opener(), {.seed = 5, .small = true, .only = "max"}));
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(printed.find("parity max: FAILED: search: line "), 0u) << printed;
}

TEST(Profile, LaunchesEveryKernel) {
  Machine machine;
  bool inside = false;
  int ranges = 0;
  const ProfilerRange range = [&](bool begins) {
    EXPECT_NE(inside, begins);
    inside = begins;
    ranges += begins;
  };
  ::testing::internal::CaptureStdout();
  run_profile(machine.opener(),
              {.only = {}, .servers = 40, .longest = 32, .replicas = 4, .times = 1}, range);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), std::ssize(kernel_names()));
  EXPECT_GE(ranges, std::ssize(kernel_names()));
  machine.expect_clean();
}

TEST(Profile, LooksAtTheNamedKernelAlone) {
  for (const char* name : {"SettleFirst", "FillPercentiles", "WritePoints-room", "order"}) {
    Machine machine;
    int ranges = 0;
    ::testing::internal::CaptureStdout();
    run_profile(machine.opener(),
                {.only = name, .servers = 20, .longest = 24, .replicas = 4, .times = 2},
                [&](bool begins) { ranges += begins; });
    EXPECT_EQ(::testing::internal::GetCapturedStdout(),
              "profile " + std::string(name) + ": " + std::to_string(ranges) + " launches\n");
    EXPECT_GE(ranges, 2);
  }
}

TEST(KernelNames, AreDistinct) {
  const auto names = kernel_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(RandomProblem, RepeatedGivesTheSameAnswersEachTime) {
  const Problem once = random_problem({.servers = 7, .seed = 3, .longest = 50});
  const Problem thrice = repeated(once, 3);
  ASSERT_EQ(thrice.servers.size(), 3 * once.servers.size());
  ASSERT_EQ(thrice.first_line.back(), std::ssize(thrice.lines));
  const auto cpu = make_cpu_evaluator(best_instruction_set());
  const auto want = cpu->search(once, {}).lines;
  auto got = cpu->search(thrice, {}).lines;
  EXPECT_EQ(first_difference(got, want, once), "");
  got.back().max_batch += 1;
  EXPECT_NE(first_difference(got, want, once), "");
}

}  // namespace
}  // namespace tonnage
