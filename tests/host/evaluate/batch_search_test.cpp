// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Batch mode `search`: the pruned search and the whole grid against every batch size sized alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

#include "support/effort.hpp"
#include "support/seed.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {
namespace {

// The least replicas over all batch sizes, then the smallest batch size, one by one.
LineOutcome by_brute_force(const ServerRow& server, const PerfRow& perf) {
  LineOutcome best = size_line(server, perf);
  if (server.load_kind != LoadKind::kLoaded || best.max_batch == 0) return best;
  std::vector<double> inv_mu(static_cast<std::size_t>(best.max_batch) + 1);
  fill_inverse_mu(queue_shape(server, perf, best.max_batch).service, best.max_batch,
                  inv_mu.data());
  for (std::int64_t m = best.max_batch - 1; m >= 1; --m) {
    const LineOutcome one =
        finish_line(server, perf, m,
                    size_pair(queue_shape(server, perf, m), server.targets, server.has_tps_target,
                              inv_mu.data()));
    if (one.sized() && (!best.sized() || one.num_replicas <= best.num_replicas)) best = one;
  }
  return best;
}

SystemSpec generated_spec(std::int64_t servers, std::uint64_t seed) {
  GenerateOptions options;
  options.servers = servers;
  options.accelerators = 10;
  options.seed = seed;
  return generate_fleet(options);
}

Problem generated(std::int64_t servers, std::uint64_t seed) {
  return build_problem(System(generated_spec(servers, seed)));
}

// The same fleet with percentiles, response times and drops as targets, here and there.
Problem generated_with_extensions(std::int64_t servers, std::uint64_t seed) {
  SystemSpec spec = generated_spec(servers, seed);
  std::mt19937_64 engine(seed);
  const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  for (ServiceClassSpec& c : spec.service_classes) {
    for (ModelTargetSpec& t : c.model_targets) {
      if (uniform() < 0.5 && t.slo_ttft_ms > 0) t.slo_ttft_percentile = 50 + 49 * uniform();
      if (uniform() < 0.5) t.slo_e2e_ms = (t.slo_itl_ms > 0 ? t.slo_itl_ms : 50) * 600 * uniform();
      if (uniform() < 0.5) t.slo_drop = std::pow(10.0, -1 - 5 * uniform());
    }
  }
  return build_problem(System(spec));
}

void expect_same(const LineOutcome& got, const LineOutcome& want, const Problem& problem,
                 std::size_t i) {
  const ServerRow& s = problem.servers[problem.lines[i].server];
  EXPECT_EQ(got.reason, want.reason) << "line " << i;
  EXPECT_EQ(got.num_replicas, want.num_replicas)
      << "line " << i << " batch " << got.max_batch << " against " << want.max_batch << " of "
      << batch_ceiling(s, problem.perfs[problem.lines[i].perf]) << ", k " << s.in_tokens << " m "
      << s.out_tokens << " Q " << s.max_queue;
  EXPECT_EQ(got.max_batch, want.max_batch) << "line " << i << " replicas " << want.num_replicas;
  EXPECT_EQ(got.rate_per_replica_per_ms, want.rate_per_replica_per_ms) << "line " << i;
}

int improved_by_search(const Problem& problem) {
  SearchOptions options;
  options.batch = BatchMode::kSearch;
  const SearchResult pruned = select_backend("cpu")->search(problem, options);
  int improved = 0;
  for (std::size_t i = 0; i < problem.lines.size(); ++i) {
    const ServerRow& server = problem.servers[problem.lines[i].server];
    const PerfRow& perf = problem.perfs[problem.lines[i].perf];
    const LineOutcome want = by_brute_force(server, perf);
    expect_same(pruned.lines[i], want, problem, i);
    improved += want.max_batch != size_line(server, perf).max_batch;
  }
  return improved;
}

TEST(BatchSearch, FindsTheLeastReplicasAndTheSmallestBatch) {
  EXPECT_GT(improved_by_search(generated(25, testing::test_seed())), 0)
      << "the sample should have lines where a smaller batch size wins";
}

TEST(BatchSearch, FindsThemUnderExtendedTargets) {
  std::mt19937_64 engine(testing::test_seed());
  int improved = 0;
  for (int fleet = 0; fleet < 4; ++fleet) {
    improved += improved_by_search(generated_with_extensions(10, engine()));
  }
  EXPECT_GT(improved, 0);
}

// Where requests are dropped sizing asks for more than what passes the sweep; with millions of
// replicas the counts between must not be gone through one after the other.
TEST(BatchSearch, FindsThemUnderHugeLoads) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 4; ++fleet) {
    Problem problem = generated_with_extensions(10, engine());
    std::int64_t longest = 0;
    for (ServerRow& server : problem.servers) {
      server.total_rate_per_ms *= 1e6;
      server.max_queue = static_cast<std::int64_t>(engine() % 4);
    }
    for (const auto& line : problem.lines) {
      longest =
          std::max(longest, batch_ceiling(problem.servers[line.server], problem.perfs[line.perf]));
    }
    improved_by_search(problem);
    SearchOptions options;
    options.batch = BatchMode::kSearch;
    EXPECT_LT(select_backend("cpu")->search(problem, options).candidates_swept,
              std::ssize(problem.lines) * longest * 16 * 1000);
  }
}

TEST(BatchSearch, WholeGridAndPrunedSearchAgreeForEverySetAndThreadCount) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 200; ++fleet) {
    const Problem problem =
        fleet % 4 == 0 ? generated_with_extensions(3, engine()) : generated(3, engine());
    SearchOptions options;
    options.batch = BatchMode::kSearch;
    options.num_threads = 1;
    const SearchResult want = select_backend("cpu")->search(problem, options);
    for (const InstructionSet isa :
         {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
      if (!is_usable(isa)) continue;
      const auto evaluator = make_cpu_evaluator(isa);
      for (const int threads : {2, 7}) {
        options.num_threads = threads;
        options.exhaustive = threads == 7 && isa != InstructionSet::kBaseline;
        const SearchResult got = evaluator->search(problem, options);
        for (std::size_t i = 0; i < problem.lines.size(); ++i) {
          expect_same(got.lines[i], want.lines[i], problem, i);
        }
        if (options.exhaustive) {
          EXPECT_GT(got.candidates_swept, 0);
        }
      }
    }
  }
}

// One server on one accelerator.
struct LongLine {
  ServerRow server{};
  PerfRow perf{};

  [[nodiscard]] Problem problem() const {
    Problem p;
    p.accelerators.emplace_back(AcceleratorSpec{});
    p.servers.push_back(server);
    p.perfs.push_back(perf);
    p.lines.push_back({0, 0});
    return p;
  }
};

LongLine long_line(std::int64_t ceiling, double alpha, double beta, double gamma) {
  LongLine l;
  l.perf.alpha_ms = alpha;
  l.perf.beta_ms = beta;
  l.perf.gamma_ms = gamma;
  l.perf.token_budget = 512;
  l.perf.cost_per_replica = 1;
  l.perf.instances_per_replica = 1;
  l.perf.valid = true;
  l.server.in_tokens = 3;
  l.server.out_tokens = 1;
  l.server.max_batch = ceiling;
  l.server.total_rate_per_ms = 1;
  l.server.min_replicas = 1;
  l.server.load_kind = LoadKind::kLoaded;
  return l;
}

// Above kShortLine, so that bounds decide wherever the sweeps let much through: growing chunk
// counts, percentiles, drops, targets out of reach.
TEST(BatchSearch, BoundsFindWhatSizingEveryBatchFinds) {
  std::mt19937_64 engine(testing::test_seed());
  const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  const auto spread = [&](double low, double high) {
    return low * std::pow(high / low, uniform());
  };
  int sized_lines = 0;
  for (int i = 0; i < (testing::is_sanitized() ? 0 : 6) || (sized_lines == 0 && i < 30); ++i) {
    LongLine l = long_line(kShortLine + 1 + static_cast<std::int64_t>(engine() % 300),
                           spread(0.1, 30), i % 5 == 0 ? 0 : spread(1e-4, 0.1),
                           i % 5 == 0 ? 0 : spread(1e-8, 1e-4));
    l.perf.token_budget = i % 2 == 0 ? 8192 : spread(64, 4096);
    l.server.in_tokens = std::floor(spread(1, 5000));
    l.server.out_tokens = std::floor(spread(1, 500));
    l.server.max_queue = engine() % 2 == 0 ? 0 : static_cast<std::int64_t>(spread(1, 1e5));
    const QueueShape q = queue_shape(l.server, l.perf, l.server.max_batch);
    const double rate = departure_rate(q.service, static_cast<double>(engine() % 900 + 100));
    const QueueMetrics m = evaluate_queue(q.service, q.max_batch, q.max_queue, rate);
    LatencyTargets& t = l.server.targets;
    if (i % 3 != 0) t.itl_ms = m.itl_ms * spread(0.8, 3) + 1e-6;
    if (i % 3 != 1) t.ttft_ms = m.ttft_ms * spread(0.8, 3);
    if (i % 4 == 0 && t.ttft_ms > 0) t.ttft_percentile = 50 + 49 * uniform();
    if (i % 7 == 0) t.itl_ms = 1e-6;
    l.server.total_rate_per_ms = rate * spread(0.5, 1000);
    const Problem problem = l.problem();
    SearchOptions options;
    options.batch = BatchMode::kSearch;
    const SearchResult got = select_backend("cpu")->search(problem, options);
    const LineOutcome want = by_brute_force(l.server, l.perf);
    expect_same(got.lines[0], want, problem, 0);
    EXPECT_LT(got.batches_sized, kShortLine / 2) << i;
    sized_lines += want.sized();
  }
  EXPECT_GT(sized_lines, 0);
}

// Sizing takes time in proportion to the batch size: a million of them must not be sized.
TEST(BatchSearch, AMillionBatchSizesTakeFewPasses) {
  struct Case {
    const char* name;
    LatencyTargets targets;
    std::int64_t max_queue;
    double rate_per_min;
    bool feasible;
  };
  for (const Case& c : {
           Case{"out of reach", {1.3170446272067074e-06, 1e15, 0, 0, 0.01}, 889258, 8e-112, false},
           Case{"within reach", {60, 0, 0, 0, 0.01}, 889258, 1e6, true},
           Case{"percentile", {0, 60, 99.9}, 889258, 1e6, true},
           Case{"percentile out of reach", {0, 30, 99.9}, 889258, 1e6, false},
           Case{"drops", {0, 0, 0, 0, 1e-15}, 0, 1e6, true},
           Case{"many replicas", {45}, 1000, 1e12, true},
       }) {
    SCOPED_TRACE(c.name);
    LongLine l = long_line(kMaxBatchSize, 21.87301175279952, 0.023345216168220297,
                           0.0008848091668546799);
    l.server.targets = c.targets;
    l.server.max_queue = c.max_queue;
    l.server.total_rate_per_ms = std::max(c.rate_per_min / 60000, kLeastRatePerMs);
    int reports = 0;
    SearchOptions options;
    options.batch = BatchMode::kSearch;
    options.num_threads = 1;
    options.progress = [&](std::string_view, std::int64_t, std::int64_t) { ++reports; };
    const SearchResult got = select_backend("cpu")->search(l.problem(), options);
    EXPECT_EQ(got.lines[0].sized(), c.feasible);
    EXPECT_LT(got.batches_sized, 3 * kMostSized);
    EXPECT_LT(got.candidates_swept, 40 * 16 * kMaxBatchSize);
    EXPECT_GT(reports, 3) << "within the line";
  }
}

TEST(BatchSearch, NeverCostsMoreThanTheCeilingAlone) {
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 100; ++fleet) {
    GenerateOptions options;
    options.servers = 20;
    options.seed = engine();
    SystemSpec spec = generate_fleet(options);
    PlannerOptions at_max;
    at_max.solver = Solver::kUnlimited;
    PlannerOptions any = at_max;
    any.batch = BatchMode::kSearch;
    const System system(spec);
    EXPECT_LE(make_plan(system, spec.optimizer, any).summary.total_value,
              make_plan(system, spec.optimizer, at_max).summary.total_value + 1e-6);
  }
}

TEST(Backends, UnknownOnesAreErrors) {
  EXPECT_EQ(select_backend("auto")->name(), "cpu");
  EXPECT_EQ(select_backend("cpu")->name(), "cpu");
  EXPECT_TRUE(select_backend("cpu")->availability().usable);
  EXPECT_ANY_THROW((void)select_backend("abacus"));
}

}  // namespace
}  // namespace tonnage
