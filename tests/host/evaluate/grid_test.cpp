// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of candidates against each candidate evaluated and sized alone.
#include "tonnage/host/grid.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <numeric>
#include <random>

#include "support/effort.hpp"
#include "support/seed.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/core/wait_distribution.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"

namespace tonnage {
namespace {

std::vector<std::int64_t> all_lines(const Problem& problem) {
  std::vector<std::int64_t> lines(problem.lines.size());
  std::iota(lines.begin(), lines.end(), 0);
  return lines;
}

// A small fleet with everything that makes lines differ: targets of all kinds, waiting rooms or
// none, long inputs (chunk counts that grow), idle servers, bounds on replicas.
Problem mixed_fleet(std::uint64_t seed) {
  GenerateOptions options;
  options.servers = 4;
  options.accelerators = 6;
  options.seed = seed;
  SystemSpec spec = generate_fleet(options);
  std::mt19937_64 engine(seed);
  const auto chance = [&](double p) { return static_cast<double>(engine() >> 11) * 0x1p-53 < p; };
  for (ServiceClassSpec& c : spec.service_classes) {
    for (ModelTargetSpec& t : c.model_targets) {
      if (chance(0.3) && t.slo_ttft_ms > 0) t.slo_ttft_percentile = 95;
      if (chance(0.3)) t.slo_e2e_ms = 20000;
      if (chance(0.3)) t.slo_drop = 1e-3;
    }
  }
  for (ServerSpec& s : spec.servers) {
    if (chance(0.3)) s.max_queue_size = 0;
    if (chance(0.2)) s.max_queue_size = 1 + static_cast<std::int64_t>(engine() % 9);
    if (chance(0.3)) s.current_alloc.load.avg_in_tokens = 30000;
    if (chance(0.2)) s.current_alloc.load.avg_out_tokens = 1;
    if (chance(0.2)) s.current_alloc.load.arrival_rate_per_min = 0;
    if (chance(0.3)) s.max_num_replicas = 20;
    if (chance(0.3)) s.min_num_replicas = 1 + static_cast<std::int64_t>(engine() % 4);
    if (s.max_batch_size == 0 || s.max_batch_size > 96) s.max_batch_size = 96;
  }
  return build_problem(System(spec));
}

// What the blocks say, by line and place.
struct Recorded {
  std::map<std::int64_t, std::vector<double>> columns[kNumGridColumns];
  std::map<std::int64_t, std::vector<Verdict>> verdicts;
};

Recorded record(const Evaluator& evaluator, const Problem& problem,
                const std::vector<GridLine>& grid, const GridOptions& options) {
  Recorded r;
  std::mutex mutex;
  evaluator.table(problem, grid, options, [&](const GridBlock& block) {
    const std::lock_guard lock(mutex);
    std::vector<Verdict>& verdicts = r.verdicts[block.ordinal];
    EXPECT_EQ(static_cast<std::int64_t>(verdicts.size()), block.first * block.line->num_replicas);
    verdicts.insert(verdicts.end(), block.verdicts.begin(), block.verdicts.end());
    for (int c = 0; c < kNumGridColumns; ++c) {
      auto& column = r.columns[c][block.ordinal];
      column.insert(column.end(), block.columns[c].begin(), block.columns[c].end());
    }
  });
  return r;
}

void expect_close(double got, double want, double scale, const char* what) {
  EXPECT_LE(std::fabs(got - want), 2e-11 * std::max(std::fabs(want), scale))
      << what << " " << got << " against " << want;
}

// One candidate against the same evaluated alone.
void expect_candidate(const Recorded& table, std::int64_t ordinal, std::size_t i,
                      const ServerRow& server, const PerfRow& perf, std::int64_t batch,
                      std::int64_t replicas, std::int64_t need, bool percentiles) {
  const auto at = [&](GridColumn c) {
    return table.columns[static_cast<int>(c)].at(ordinal).at(i);
  };
  const QueueShape shape = queue_shape(server, perf, batch);
  const double rate = server.total_rate_per_ms / static_cast<double>(replicas);
  const QueueMetrics m = evaluate_queue(shape.service, batch, shape.max_queue, rate);
  EXPECT_EQ(at(GridColumn::kCost), perf.cost_per_replica * static_cast<double>(replicas));
  expect_close(at(GridColumn::kGoodput),
               m.throughput_per_ms * static_cast<double>(replicas) * 60000, 0, "goodput");
  expect_close(at(GridColumn::kDrop), m.drop_probability, 1e-19, "drop");
  expect_close(at(GridColumn::kItl), m.itl_ms, m.service_ms, "ITL");
  expect_close(at(GridColumn::kTtft), m.ttft_ms, m.service_ms, "TTFT");
  expect_close(at(GridColumn::kWait), m.wait_ms, 1e-15 * m.service_ms, "wait");
  expect_close(at(GridColumn::kPrefill), m.prefill_ms, 0, "prefill");
  expect_close(at(GridColumn::kResponse), m.wait_ms + m.service_ms, 0, "response");
  expect_close(at(GridColumn::kRho), m.utilization, 0, "rho");
  if (percentiles) {
    expect_close(at(GridColumn::kTtftP90), ttft_quantile(m, shape.max_queue, 0.90),
                 m.service_ms * 10, "p90");
    expect_close(at(GridColumn::kTtftP99), ttft_quantile(m, shape.max_queue, 0.99),
                 m.service_ms * 10, "p99");
  }
  const bool within = replicas >= server.min_replicas &&
                      (server.max_replicas == 0 || replicas <= server.max_replicas);
  const Verdict verdict = table.verdicts.at(ordinal).at(i);
  EXPECT_EQ(verdict == Verdict::kFeasible, within && need > 0 && replicas >= need)
      << to_string(verdict) << " batch " << batch << " replicas " << replicas << " needed " << need;
  const LatencyTargets& t = server.targets;
  // Where the batch size is feasible at no rate, the miss may be at the low end of the range.
  if (verdict == Verdict::kItlTarget && need > 0) {
    EXPECT_GT(m.itl_ms, t.itl_ms);
  }
  if (verdict == Verdict::kGoodput) {
    EXPECT_LE(m.itl_ms, t.itl_ms > 0 ? t.itl_ms * (1 + 1e-6) : 1e300);
    EXPECT_LE(rate, rate_range(shape, server.has_tps_target).high_per_ms * (1 + 1e-9));
  }
}

TEST(Grid, EveryCandidateMatchesItsOwnEvaluation) {
  std::mt19937_64 engine(testing::test_seed());
  std::map<Verdict, std::int64_t> seen;
  std::int64_t candidates = 0;
  for (int fleet = 0; fleet < 25; ++fleet) {
    const Problem problem = mixed_fleet(engine());
    GridOptions options;
    options.percentiles = fleet % 5 == 0;
    options.memory_limit = fleet % 2 == 0 ? 1 << 16 : 1 << 28;
    if (fleet % 3 == 1) options.batches = {3, 80, 7};
    if (fleet % 3 == 2) options.replicas = {1, 400, 21};
    const std::vector<std::int64_t> lines = all_lines(problem);
    const std::vector<GridLine> grid = plan_grid(problem, lines, options);
    const Recorded table = record(*select_backend("cpu"), problem, grid, options);
    for (std::size_t k = 0; k < grid.size(); ++k) {
      const GridLine& g = grid[k];
      const ServerRow& server = problem.servers[problem.lines[g.line].server];
      const PerfRow& perf = problem.perfs[problem.lines[g.line].perf];
      const auto ordinal = static_cast<std::int64_t>(k);
      ASSERT_EQ(static_cast<std::int64_t>(table.verdicts.at(ordinal).size()), g.num_candidates());
      for (const Verdict v : table.verdicts.at(ordinal)) ++seen[v];
      if (server.load_kind != LoadKind::kLoaded) continue;
      for (std::int64_t b = 0; b < g.num_batches; ++b) {
        const RateSearch<double> found =
            size_pair(queue_shape(server, perf, g.batch(b)), server.targets, server.has_tps_target);
        const std::int64_t need =
            found.feasible ? replicas_needed(server.total_rate_per_ms, found.throughput_per_ms,
                                             server.min_replicas)
                           : 0;
        for (std::int64_t j = 0; j < g.num_replicas; ++j, ++candidates) {
          expect_candidate(table, ordinal, static_cast<std::size_t>(b * g.num_replicas + j), server,
                           perf, g.batch(b), g.replicas(j), need, options.percentiles);
        }
        if (HasFailure()) {
          FAIL() << "fleet " << fleet << " line " << g.line << " batch " << g.batch(b) << " k "
                 << server.in_tokens << " m " << server.out_tokens << " Q " << server.max_queue;
        }
      }
    }
  }
  std::printf("  %lld candidates:", static_cast<long long>(candidates));
  for (const auto& [verdict, count] : seen) {
    std::printf(" %s %lld", std::string(to_string(verdict)).c_str(), static_cast<long long>(count));
  }
  std::printf("\n");
  for (const Verdict v : {Verdict::kFeasible, Verdict::kItlTarget, Verdict::kTtftTarget,
                          Verdict::kOverload, Verdict::kMinReplicas, Verdict::kTooManyReplicas}) {
    EXPECT_GT(seen[v], 0) << to_string(v);
  }
}

TEST(Grid, SameBitsForEveryInstructionSetAndThreadCount) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 6; ++fleet) {
    const Problem problem = mixed_fleet(engine());
    GridOptions options;
    options.num_threads = 1;
    const std::vector<std::int64_t> lines = all_lines(problem);
    const std::vector<GridLine> grid = plan_grid(problem, lines, options);
    const Recorded want =
        record(*make_cpu_evaluator(InstructionSet::kBaseline), problem, grid, options);
    for (const InstructionSet isa :
         {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
      if (!is_usable(isa)) continue;
      options.num_threads = isa == InstructionSet::kAvx2 ? 2 : 7;
      options.memory_limit = 1;  // row by row
      const Recorded got = record(*make_cpu_evaluator(isa), problem, grid, options);
      EXPECT_EQ(got.verdicts, want.verdicts);
      for (int c = 0; c < kNumPlainGridColumns; ++c) {
        for (const auto& [ordinal, column] : want.columns[c]) {
          const std::vector<double>& other = got.columns[c].at(ordinal);
          ASSERT_EQ(other.size(), column.size());
          for (std::size_t i = 0; i < column.size(); ++i) {
            ASSERT_EQ(std::bit_cast<std::uint64_t>(other[i]),
                      std::bit_cast<std::uint64_t>(column[i]))
                << "column " << c << " line " << grid[ordinal].line << " candidate " << i;
          }
        }
      }
    }
  }
}

// Sizing takes time in proportion to the batch size. Each look at whether to go on stands for a
// block, or for some batch sizes that are sized.
TEST(Grid, MetricsDecideMostBatchSizesOfLongLines) {
  PerfRow perf{};
  perf.alpha_ms = 12;
  perf.beta_ms = 0.05;
  perf.gamma_ms = 0.0005;
  perf.cost_per_replica = 1;
  perf.instances_per_replica = 1;
  perf.valid = true;
  ServerRow server{};
  server.in_tokens = 128;
  server.out_tokens = 512;
  server.max_queue = 100;
  server.min_replicas = 1;
  server.total_rate_per_ms = 0.02;
  server.load_kind = LoadKind::kLoaded;
  for (const bool steps : {false, true}) {
    for (const LatencyTargets& targets :
         {LatencyTargets{20, 0}, LatencyTargets{0, 90}, LatencyTargets{0, 90, 95}}) {
      SCOPED_TRACE(::testing::Message() << steps << " " << targets.itl_ms << " "
                                        << targets.ttft_percentile);
      perf.token_budget = steps ? 8192 : 1e9;
      server.targets = targets;
      // The verdicts name a percentile that misses: it is worked out for each such candidate.
      server.max_batch = targets.binds_percentile() ? 2304 : testing::is_sanitized() ? 4096 : 16384;
      Problem problem;
      problem.accelerators.emplace_back(AcceleratorSpec{});
      problem.perfs.push_back(perf);
      problem.servers.push_back(server);
      problem.lines.push_back({0, 0});
      GridOptions options;
      options.replicas = {1, 24, 2};
      options.num_threads = 1;
      std::int64_t looks = 0;
      options.progress = [&](std::string_view, std::int64_t, std::int64_t) { ++looks; };
      const std::vector<GridLine> grid = plan_grid(problem, all_lines(problem), options);
      std::int64_t feasible = 0, blocks = 0;
      select_backend("cpu")->table(problem, grid, options, [&](const GridBlock& block) {
        ++blocks;
        feasible += std::count(block.verdicts.begin(), block.verdicts.end(), Verdict::kFeasible);
      });
      EXPECT_GT(feasible, 0);
      EXPECT_LT(feasible, grid[0].num_candidates());
      const std::int64_t infeasible = targets.binds_percentile() ? grid[0].num_candidates() : 0;
      EXPECT_LT(looks - blocks, infeasible + 100);
    }
  }
}

TEST(Grid, ExtremeLinesStayFiniteAndRight) {
  std::mt19937_64 engine(testing::test_seed());
  Problem problem = mixed_fleet(engine());
  for (ServerRow& s : problem.servers) {
    if (s.load_kind != LoadKind::kLoaded) continue;
    s.total_rate_per_ms = engine() % 2 == 0 ? 1e7 : 1e-9;
    s.max_queue = static_cast<std::int64_t>(engine() % 100000);
  }
  for (PerfRow& p : problem.perfs) {
    if (engine() % 2 == 0) p.alpha_ms *= 1e9;
    if (engine() % 4 == 0) p.gamma_ms = 0;
  }
  GridOptions options;
  options.replicas = {1, 1'000'000'000, 99'999'999};
  const std::vector<std::int64_t> lines = all_lines(problem);
  const std::vector<GridLine> grid = plan_grid(problem, lines, options);
  const Recorded table = record(*select_backend("cpu"), problem, grid, options);
  std::int64_t candidates = 0;
  for (std::size_t k = 0; k < grid.size(); ++k) {
    const GridLine& g = grid[k];
    const ServerRow& server = problem.servers[problem.lines[g.line].server];
    if (server.load_kind != LoadKind::kLoaded) continue;
    const PerfRow& perf = problem.perfs[problem.lines[g.line].perf];
    for (std::int64_t b = 0; b < g.num_batches; b += 9) {
      const QueueShape shape = queue_shape(server, perf, g.batch(b));
      for (std::int64_t j = 0; j < g.num_replicas; ++j, ++candidates) {
        const auto i = static_cast<std::size_t>(b * g.num_replicas + j);
        const QueueMetrics m =
            evaluate_queue(shape.service, shape.max_batch, shape.max_queue,
                           server.total_rate_per_ms / static_cast<double>(g.replicas(j)));
        const auto at = [&](GridColumn c) {
          return table.columns[static_cast<int>(c)].at(static_cast<std::int64_t>(k)).at(i);
        };
        ASSERT_TRUE(std::isfinite(at(GridColumn::kTtft)))
            << m.ttft_ms << " batch " << g.batch(b) << " replicas " << g.replicas(j) << " rate "
            << server.total_rate_per_ms << " Q " << server.max_queue << " alpha " << perf.alpha_ms;
        expect_close(at(GridColumn::kTtft), m.ttft_ms, m.service_ms, "TTFT");
        expect_close(at(GridColumn::kDrop), m.drop_probability, 1e-19, "drop");
        expect_close(at(GridColumn::kRho), m.utilization, 1e-25, "rho");
      }
    }
  }
  EXPECT_GT(candidates, 0);
}

TEST(Grid, ShapesFollowTheRanges) {
  const Problem problem = mixed_fleet(testing::test_seed());
  const std::vector<std::int64_t> lines = all_lines(problem);
  GridOptions options;
  options.batches = {2, 9, 3};
  options.replicas = {5, 11, 2};
  std::int64_t offset = 0;
  for (const GridLine& g : plan_grid(problem, lines, options)) {
    EXPECT_EQ(g.offset, offset);
    offset += g.num_candidates();
    if (problem.servers[problem.lines[g.line].server].load_kind != LoadKind::kLoaded) continue;
    EXPECT_EQ(g.first_batch, 2);
    EXPECT_LE(g.batch(g.num_batches - 1), 9);
    EXPECT_EQ(g.num_replicas, 4);
    EXPECT_EQ(g.replicas(3), 11);
  }
  EXPECT_GT(offset, 0);
  options.batches = {1'000'000, 1'048'576, 1};
  for (const GridLine& g : plan_grid(problem, lines, options)) EXPECT_EQ(g.num_candidates(), 1);
  for (const GridRange& bad : {GridRange{5, 4, 1}, GridRange{1, 4, 0}, GridRange{-1, 4, 1}}) {
    options.batches = bad;
    EXPECT_THROW((void)plan_grid(problem, lines, options), Error);
  }
}

// The parts of a line of many replica counts are what the line would be, and small however many
// candidates the grid has.
TEST(Grid, ManyReplicaCountsComeInParts) {
  Problem problem = mixed_fleet(testing::test_seed());
  for (ServerRow& s : problem.servers) {
    s.load_kind = LoadKind::kLoaded;
    s.total_rate_per_ms = 0.1;
    s.in_tokens = s.out_tokens = 100;
    s.max_batch = 512;
  }
  const std::vector<std::int64_t> lines = all_lines(problem);
  GridOptions options;
  options.batches = {5, 5, 1};
  options.replicas = {3, 300'001, 2};
  ASSERT_GE(lines.size(), 2U);
  for (const std::int64_t line : lines) {
    const std::vector<GridLine> parts = plan_grid(problem, std::span(&line, 1), options);
    ASSERT_EQ(parts.size(), 3U);
    std::int64_t replicas = 3, offset = 0;
    for (const GridLine& g : parts) {
      EXPECT_EQ(g.first_replicas, replicas);
      EXPECT_EQ(g.offset, offset);
      replicas = g.replicas(g.num_replicas);
      offset += g.num_candidates();
    }
    EXPECT_EQ(replicas, 300'003);
    EXPECT_EQ(offset, 150'000);
  }
  options.batches = {};
  options.replicas = {1, 1'000'000'000, 1};
  const std::vector<GridLine> grid = plan_grid(problem, lines, options);
  EXPECT_GT(grid.back().offset + grid.back().num_candidates(), 1'000'000'000'000);
  EXPECT_LT(grid.size() * sizeof(GridLine), std::size_t{1} << 28);
}

TEST(Grid, AnExceptionOfTheConsumerIsPassedOn) {
  const Problem problem = mixed_fleet(testing::test_seed());
  const std::vector<std::int64_t> lines = all_lines(problem);
  const std::vector<GridLine> grid = plan_grid(problem, lines, {});
  EXPECT_THROW(
      select_backend("cpu")->table(
          problem, grid, {}, [](const GridBlock&) { throw Error(ErrorCode::kIo, "disk full"); }),
      Error);
}

}  // namespace
}  // namespace tonnage
