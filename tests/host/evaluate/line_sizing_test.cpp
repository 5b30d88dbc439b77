// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizing of many lines: every instruction set and thread count gives the answers of the single
// pair, bit for bit.
#include "tonnage/host/line_sizing.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <random>

#include "support/seed.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {
namespace {

constexpr InstructionSet kSets[] = {InstructionSet::kBaseline, InstructionSet::kAvx2,
                                    InstructionSet::kAvx512};

// Random servers on random performance data: mostly plain pairs, some of every other kind.
System random_system(std::int64_t servers) {
  std::mt19937_64 engine(testing::test_seed());
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(engine() >> 11) * 0x1p-53;
  };
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(uniform(0, 1) * static_cast<double>(high - low + 1));
  };
  SystemSpec spec;
  for (int a = 0; a < 6; ++a) {
    spec.accelerators.push_back({"acc-" + std::to_string(a), "type-" + std::to_string(a % 4),
                                 1 + a % 3, 80, 3000, {}, uniform(50, 500)});
  }
  spec.service_classes.push_back({"Free", 10, {}});
  for (int m = 0; m < 5; ++m) {
    const std::string model = "model-" + std::to_string(m);
    for (int a = 0; a < 6; ++a) {
      if (whole(0, 5) == 0) continue;
      const bool zero = whole(0, 30) == 0;
      spec.models.push_back({model, "acc-" + std::to_string(a), whole(0, 2), whole(1, 256),
                             whole(64, 1024),
                             zero ? PerfParms{} : PerfParms{uniform(3, 40), uniform(0.005, 0.1),
                                                            uniform(1e-6, 5e-4)},
                             whole(0, 9) == 0 ? whole(256, 4096) : 0});
    }
    ModelTargetSpec target{model, uniform(10, 120), uniform(50, 4000), 0};
    if (m == 3) target.slo_itl_ms = 0;
    if (m == 4) target.slo_tps = uniform(100, 5000);
    spec.service_classes[0].model_targets.push_back(target);
  }
  for (std::int64_t i = 0; i < servers; ++i) {
    ServerSpec s;
    s.name = "server-" + std::to_string(i);
    s.model = "model-" + std::to_string(whole(0, 4));
    s.min_num_replicas = whole(0, 2);
    s.max_num_replicas = whole(0, 9) == 0 ? whole(1, 50) : 0;
    s.max_batch_size = whole(0, 3) == 0 ? whole(1, 300) : 0;
    s.max_queue_size = whole(0, 2) == 0 ? 0 : whole(1, 256);
    s.current_alloc.load = {whole(0, 12) == 0 ? 0 : uniform(0.1, 5000), 0,
                            whole(0, 8) == 0 ? whole(8000, 60000) : whole(0, 4000),
                            whole(0, 12) == 0 ? 1 : whole(1, 1024)};
    spec.servers.push_back(std::move(s));
  }
  return System(spec);
}

void expect_same(const std::vector<LineOutcome>& got, const std::vector<LineOutcome>& want,
                 const char* what) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].num_replicas, want[i].num_replicas) << what << " line " << i;
    ASSERT_EQ(got[i].max_batch, want[i].max_batch) << what << " line " << i;
    ASSERT_EQ(got[i].reason, want[i].reason) << what << " line " << i;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i].rate_per_replica_per_ms),
              std::bit_cast<std::uint64_t>(want[i].rate_per_replica_per_ms))
        << what << " line " << i;
  }
}

TEST(LineSizing, PacksAndThreadsGiveTheAnswersOfTheSinglePair) {
  const System system = random_system(1500);
  const Problem problem = build_problem(system);
  std::vector<LineOutcome> want;
  std::int64_t feasible = 0;
  for (const LineRow& line : problem.lines) {
    want.push_back(size_line(problem.servers[line.server], problem.perfs[line.perf]));
    feasible += want.back().feasible();
  }
  EXPECT_GT(feasible, 100) << "the sample should exercise both answers";
  EXPECT_LT(feasible, static_cast<std::int64_t>(problem.lines.size()) - 100);
  int tried = 0;
  for (const InstructionSet isa : kSets) {
    if (!is_usable(isa)) {
      std::printf("  %s is not usable on this processor: not compared\n",
                  std::string(to_string(isa)).c_str());
      continue;
    }
    ++tried;
    for (const int threads : {1, 2, 7}) {
      expect_same(size_lines(problem, isa, threads, {}), want, to_string(isa).data());
    }
  }
  EXPECT_GE(tried, 1);
}

TEST(LineSizing, UnusableInstructionSetIsAnError) {
  const Problem problem;
  for (const InstructionSet isa : kSets) {
    if (is_usable(isa)) {
      EXPECT_TRUE(size_lines(problem, isa, 1, {}).empty());
    } else {
      EXPECT_THROW((void)size_lines(problem, isa, 1, {}), Error);
    }
  }
}

TEST(LineSizing, ProgressReachesTheTotal) {
  const System system = random_system(3000);
  const Problem problem = build_problem(system);
  std::int64_t last = -1;
  const auto outcomes = size_lines(problem, 2, [&](std::string_view, std::int64_t done,
                                                   std::int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
  });
  EXPECT_EQ(last, static_cast<std::int64_t>(problem.lines.size()));
}

}  // namespace
}  // namespace tonnage
