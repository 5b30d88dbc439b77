// Batch mode `search`: the pruned search and the whole grid against every batch size sized alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>

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
  for (std::int64_t m = best.max_batch - 1; m >= 1; --m) {
    const LineOutcome one =
        finish_line(server, perf, m,
                    size_pair(queue_shape(server, perf, m), server.targets, server.has_tps_target));
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
