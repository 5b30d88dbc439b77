// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The sweep over every batch size and replica count of one line, against plain scalar direct
// summation of each candidate. Counter candidates_per_second counts evaluated candidates; there is
// no early exit (early-exit has it). The limit is arithmetic: operations_per_candidate is
// counted by sending a counting lane through the kernel, share_of_arithmetic_limit holds their rate
// against that of independent multiply-adds, measured just before. Memory traffic is 1/n and the
// answer of each batch size, shared by the lanes of a pack, in the first-level cache.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "counted_lane.hpp"
#include "direct_sum.hpp"
#include "host/evaluate/batch_search.hpp"
#include "host/evaluate/simd/kernels.hpp"
#include "limits.hpp"
#include "sample_line.hpp"

namespace tonnage::bench {
namespace {

std::vector<std::int64_t> replica_counts(std::int64_t most) {
  std::vector<std::int64_t> counts;
  for (std::int64_t r = 1; r <= most; ++r) counts.push_back(r);
  return counts;
}

// The least replicas that pass at each batch size, by direct summation.
bool answers_agree(const SampleLine& s, const std::vector<std::int64_t>& replicas,
                   const std::vector<std::int64_t>& least) {
  const std::vector<double> mu = departure_rates(s.shape);
  for (std::int64_t m = 1; m <= s.shape.max_batch; m += 7) {
    std::int64_t want = 0;
    for (const std::int64_t r : replicas) {
      const double rate = s.total_rate_per_ms / static_cast<double>(r);
      if (rate <= kRateHigh * mu[m] && within(s.direct(mu, m, r), s.targets)) {
        want = r;
        break;
      }
    }
    if (want != least[m]) return false;
  }
  return true;
}

void report(benchmark::State& state, std::int64_t candidates, double operations, double bytes) {
  const double total = static_cast<double>(candidates) * static_cast<double>(state.iterations());
  state.counters["candidates_per_second"] = benchmark::Counter(total, benchmark::Counter::kIsRate);
  state.counters["operations_per_candidate"] = operations;
  state.counters["bytes_per_candidate"] = bytes;
}

// The counting lane has no packs: 1/n and the answer are read once per pack.
double bytes_per_candidate(InstructionSet isa) {
  const double lanes = isa == InstructionSet::kAvx512 ? kWidestPack : kWidestPack / 2;
  return 2 * sizeof(double) / lanes;
}

void sweep(benchmark::State& state, InstructionSet isa) {
  const SampleLine s(state.range(0), state.range(2));
  const std::vector<std::int64_t> replicas = replica_counts(state.range(1));
  const Kernels& kernels = kernels_of(isa);
  const double peak = peak_operations_per_second(isa);
  std::vector<std::int64_t> least(static_cast<std::size_t>(state.range(0)) + 1, 0);
  const auto count = static_cast<std::int64_t>(replicas.size());
  kernels.sweep_line(s.line, replicas.data(), count, least.data());
  if (!answers_agree(s, replicas, least)) {
    state.SkipWithError("answers differ from direct summation");
    return;
  }
  for (auto _ : state) {
    std::fill(least.begin(), least.end(), 0);
    benchmark::DoNotOptimize(kernels.sweep_line(s.line, replicas.data(), count, least.data()));
  }
  const double operations = sweep_operations(s.line.sweep);
  report(state, state.range(0) * count, operations, bytes_per_candidate(isa));
  if (peak > 0) {
    const auto total = static_cast<double>(state.range(0) * count * state.iterations());
    state.counters["share_of_arithmetic_limit"] =
        benchmark::Counter(total * operations / peak, benchmark::Counter::kIsRate);
  }
}

// Compares the baseline with the recursion in double, which the tests compare with the oracle.
bool direct_agrees(const SampleLine& s, std::int64_t most_replicas) {
  const std::vector<double> mu = departure_rates(s.shape);
  for (std::int64_t m = 1; m <= s.shape.max_batch; m += 7) {
    for (std::int64_t r = 1; r <= most_replicas; r += 5) {
      const double rate =
          std::max(s.total_rate_per_ms / static_cast<double>(r), s.line.sweep.rate_low_per_ms);
      const QueueMetrics want = evaluate_queue(s.shape.service, m, s.shape.max_queue, rate);
      const DirectMetrics got = s.direct(mu, m, r);
      if (std::fabs(got.itl_ms / want.itl_ms - 1) > 1e-9) return false;
      if (std::fabs(got.ttft_ms / want.ttft_ms - 1) > 1e-9) return false;
    }
  }
  return true;
}

void direct(benchmark::State& state) {
  const SampleLine s(state.range(0), state.range(2));
  if (!direct_agrees(s, state.range(1))) {
    state.SkipWithError("direct summation differs from the recursion");
    return;
  }
  const std::vector<double> mu = departure_rates(s.shape);
  std::int64_t evaluated = 0;
  for (auto _ : state) {
    for (std::int64_t r = 1; r <= state.range(1); r += 4) {
      for (std::int64_t m = 1; m <= state.range(0); ++m) {
        benchmark::DoNotOptimize(within(s.direct(mu, m, r), s.targets));
      }
    }
    evaluated = (state.range(1) + 3) / 4 * state.range(0);
  }
  // Division, product, three sums and a product a state, M/2 of them on average; reads mu.
  const double states = static_cast<double>(state.range(0)) / 2;
  report(state, evaluated, 6 * (states + static_cast<double>(state.range(2))),
         sizeof(double) * states);
}

// Early exit: the pruned search for the best batch size of one line that needs about R replicas,
// sizing of what passes included. candidates_per_second counts what was evaluated, as everywhere;
// grid_per_second the candidates of the whole grid that the answer settles.
void early_exit(benchmark::State& state) {
  const QueueShape shape = SampleLine(state.range(0), state.range(2)).shape;
  PerfRow perf{};
  perf.alpha_ms = shape.service.alpha_ms;
  perf.beta_ms = shape.service.beta_ms;
  perf.gamma_ms = shape.service.gamma_ms;
  perf.token_budget = shape.service.token_budget;
  perf.cost_per_replica = 300;
  perf.max_batch = shape.max_batch;
  perf.cards_per_replica = 1;
  perf.instances_per_replica = 1;
  perf.valid = true;
  ServerRow server{};
  server.in_tokens = shape.service.in_tokens;
  server.out_tokens = shape.service.out_tokens;
  server.max_batch = shape.max_batch;
  server.max_queue = shape.max_queue;
  server.load_kind = LoadKind::kLoaded;
  server.targets = {40, 900};
  server.min_replicas = 1;
  server.total_rate_per_ms = 1;
  server.total_rate_per_ms =
      size_line(server, perf).rate_per_replica_per_ms * (static_cast<double>(state.range(1)) - 0.5);
  const LineOutcome at_ceiling = size_line(server, perf);
  std::vector<double> reciprocals(static_cast<std::size_t>(shape.max_batch) + 1);
  for (std::size_t n = 1; n < reciprocals.size(); ++n) {
    reciprocals[n] = 1.0 / static_cast<double>(n);
  }
  const ProgressCallback nobody;
  WorkMeter meter(nobody, "", 0);
  BatchSearch search(kernels_of(best_instruction_set()), reciprocals, meter);
  SweepCounts grid, evaluated;
  const LineOutcome want = search.exhaustive(server, perf, at_ceiling, {}, grid);
  const LineOutcome got = search.pruned(server, perf, at_ceiling, evaluated);
  if (got.num_replicas != want.num_replicas || got.max_batch != want.max_batch) {
    state.SkipWithError("pruned and exhaustive search disagree");
    return;
  }
  SweepCounts all;
  for (auto _ : state) {
    benchmark::DoNotOptimize(search.pruned(server, perf, at_ceiling, all).num_replicas);
  }
  const auto iterations = static_cast<double>(state.iterations());
  const auto swept = static_cast<double>(evaluated.candidates);
  const auto whole = static_cast<double>(grid.candidates);
  state.counters["candidates_per_second"] =
      benchmark::Counter(swept * iterations, benchmark::Counter::kIsRate);
  state.counters["grid_per_second"] =
      benchmark::Counter(whole * iterations, benchmark::Counter::kIsRate);
  state.counters["share_of_grid"] = swept / whole;
}

void register_sweep() {
  const auto axes = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"M", "R", "Q"})->Threads(1);
    for (const std::int64_t q : {0, 16, 128, 256}) {
      for (const std::int64_t m : {16, 64, 256, 1024}) b->Args({m, 64, q});
    }
    for (const std::int64_t r : {1, 4, 16, 256}) b->Args({256, r, 0});
  };
  const auto few = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"M", "R", "Q"})->Threads(1);
    for (const std::int64_t q : {0, 128}) b->Args({256, 64, q});
  };
  few(benchmark::RegisterBenchmark("direct", direct));
  benchmark::RegisterBenchmark("early-exit/cpu", early_exit)
      ->ArgNames({"M", "R", "Q"})
      ->ArgsProduct({{256}, {64, 1024}, {0, 128}})
      ->Threads(1);
  for (const InstructionSet isa :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (!is_usable(isa)) continue;
    few(benchmark::RegisterBenchmark(("search/cpu-" + std::string(to_string(isa))).c_str(), sweep,
                                     isa));
  }
  axes(benchmark::RegisterBenchmark("search/cpu", sweep, best_instruction_set()));
  on_all_processors(
      benchmark::RegisterBenchmark("search/cpu-together", sweep, best_instruction_set()));
}

const bool kRegistered = (register_sweep(), true);

}  // namespace
}  // namespace tonnage::bench
