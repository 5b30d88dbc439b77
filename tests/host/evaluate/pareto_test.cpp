// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Frontiers against comparing every candidate with every other.
#include "tonnage/host/pareto.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>

#include "support/seed.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage {
namespace {

Problem small_fleet(std::uint64_t seed) {
  GenerateOptions options;
  options.servers = 3;
  options.accelerators = 5;
  options.seed = seed;
  SystemSpec spec = generate_fleet(options);
  for (ServerSpec& s : spec.servers) s.max_batch_size = 12;
  return build_problem(System(spec));
}

bool beats(const ParetoPoint& a, const ParetoPoint& b) {
  return a.cost <= b.cost && a.ttft_ms <= b.ttft_ms && a.itl_ms <= b.itl_ms &&
         (a.cost < b.cost || a.ttft_ms < b.ttft_ms || a.itl_ms < b.itl_ms);
}

void expect_frontiers(const Problem& problem, const ParetoOptions& options) {
  const auto evaluator = select_backend("cpu");
  std::vector<std::int64_t> servers(problem.servers.size());
  std::iota(servers.begin(), servers.end(), 0);
  const std::vector<ParetoFrontier> got = pareto_frontiers(*evaluator, problem, servers, options);
  ASSERT_EQ(got.size(), servers.size());

  std::vector<std::int64_t> lines(problem.lines.size());
  std::iota(lines.begin(), lines.end(), 0);
  GridOptions grid_options;
  grid_options.batches = options.batches;
  grid_options.replicas = options.replicas;
  grid_options.percentiles = options.ttft >= GridColumn::kTtftP50;
  const std::vector<GridLine> grid = plan_grid(problem, lines, grid_options);
  std::vector<std::vector<ParetoPoint>> all(problem.servers.size());
  std::mutex mutex;
  evaluator->table(problem, grid, grid_options, [&](const GridBlock& block) {
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < block.verdicts.size(); ++i) {
      if (block.verdicts[i] != Verdict::kFeasible && !options.ignore_targets) continue;
      if (block.verdicts[i] == Verdict::kMinReplicas ||
          block.verdicts[i] == Verdict::kTooManyReplicas) {
        continue;
      }
      ParetoPoint p;
      p.cost = block[GridColumn::kCost][i];
      p.ttft_ms = block[options.ttft][i];
      p.itl_ms = block[GridColumn::kItl][i];
      all[problem.lines[block.line->line].server].push_back(p);
    }
  });
  for (std::size_t s = 0; s < all.size(); ++s) {
    const std::vector<ParetoPoint>& frontier = got[s].points;
    ASSERT_EQ(frontier.empty(), all[s].empty());
    for (const ParetoPoint& p : frontier) {
      for (const ParetoPoint& q : all[s]) ASSERT_FALSE(beats(q, p));
    }
    for (const ParetoPoint& q : all[s]) {
      const bool covered = std::any_of(frontier.begin(), frontier.end(), [&](const ParetoPoint& p) {
        return p.cost <= q.cost && p.ttft_ms <= q.ttft_ms && p.itl_ms <= q.itl_ms;
      });
      ASSERT_TRUE(covered);
    }
  }
}

TEST(Pareto, NothingBeatsAPointAndEverythingIsCovered) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 8; ++fleet) {
    ParetoOptions options;
    options.replicas = {1, 40, 1};
    options.ignore_targets = fleet % 2 == 1;
    if (fleet % 4 == 2) options.ttft = GridColumn::kTtftP95;
    expect_frontiers(small_fleet(engine()), options);
  }
}

TEST(Pareto, ToleranceThinsOutWithoutLosingMore) {
  const Problem problem = small_fleet(testing::test_seed());
  const std::int64_t servers[] = {0, 1, 2};
  ParetoOptions options;
  const auto exact = pareto_frontiers(*select_backend("cpu"), problem, servers, options);
  options.tolerance = 0.02;
  const auto coarse = pareto_frontiers(*select_backend("cpu"), problem, servers, options);
  std::size_t exact_points = 0, coarse_points = 0;
  for (std::size_t s = 0; s < exact.size(); ++s) {
    exact_points += exact[s].points.size();
    coarse_points += coarse[s].points.size();
    for (const ParetoPoint& p : exact[s].points) {
      EXPECT_TRUE(
          std::any_of(coarse[s].points.begin(), coarse[s].points.end(), [&](const ParetoPoint& q) {
            return q.cost <= p.cost && q.ttft_ms <= p.ttft_ms * 1.02 && q.itl_ms <= p.itl_ms * 1.02;
          }));
    }
  }
  EXPECT_LT(coarse_points, exact_points);
}

TEST(Pareto, SameForEveryThreadCount) {
  const Problem problem = small_fleet(testing::test_seed());
  const std::int64_t servers[] = {0, 2};
  ParetoOptions options;
  options.num_threads = 1;
  const auto want = pareto_frontiers(*select_backend("cpu"), problem, servers, options);
  options.num_threads = 7;
  const auto got = pareto_frontiers(*select_backend("cpu"), problem, servers, options);
  ASSERT_EQ(got.size(), 2U);
  for (std::size_t s = 0; s < got.size(); ++s) {
    EXPECT_EQ(got[s].server, servers[s]);
    ASSERT_EQ(got[s].points.size(), want[s].points.size());
    for (std::size_t i = 0; i < got[s].points.size(); ++i) {
      EXPECT_EQ(got[s].points[i].line, want[s].points[i].line);
      EXPECT_EQ(got[s].points[i].batch, want[s].points[i].batch);
      EXPECT_EQ(got[s].points[i].replicas, want[s].points[i].replicas);
    }
  }
}

TEST(Pareto, TolerancesAreFiniteAndNotNegative) {
  const Problem problem = small_fleet(1);
  const std::int64_t servers[] = {0};
  for (const double tolerance : {-0.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    ParetoOptions options;
    options.tolerance = tolerance;
    EXPECT_THROW((void)pareto_frontiers(*select_backend("cpu"), problem, servers, options), Error);
  }
}

TEST(Pareto, OtherColumnsAreNotATtft) {
  const Problem problem = small_fleet(1);
  ParetoOptions options;
  options.ttft = GridColumn::kCost;
  const std::int64_t servers[] = {0};
  EXPECT_THROW((void)pareto_frontiers(*select_backend("cpu"), problem, servers, options), Error);
}

}  // namespace
}  // namespace tonnage
