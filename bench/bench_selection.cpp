// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Selection alone, on generated fleets under scarce cards: how near to the best plan each solver
// gets and in what time. Arguments are servers and tightness in percent; the iterations are fleets
// of successive seeds from TONNAGE_BENCH_SEED on, TONNAGE_BENCH_FLEETS of them, and the counters
// are the worst of them. Before a time counts, the plan is held against capacity and its
// certificate against the plan.
//   gap           (objective - bound) of the last stage over the plan's cost
//   gap_cents     the same, cents/hour
//   unserved      servers without a whole allocation, all fleets; unserved_bound: at least so many
//   stage_excess  unserved servers of a class above its bound, beyond what the bar allows:
//                 max(1, 0.2 % of the bound); 0 where the bar is met
//   proven        share of the fleets whose plan is proven optimal in every stage
//   behind_greedy fleets in which the greedy plan serves more of some class first, or as many of
//                 all at a lower value: 0
//   worst_s       longest selection
// select/mixed is price where servers may combine two accelerators; greedy beside it may not.
// What limits it: each price vector costs one pass over the options left after dominance (24 bytes
// each), so bandwidth for large fleets; the search around the plan, which takes
// a fixed number of rounds, for small ones.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "host/plan/planning.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage::bench {
namespace {

// Where the seeds start; another value gives fresh fleets.
std::uint64_t first_seed() {
  const char* text = std::getenv("TONNAGE_BENCH_SEED");
  return text == nullptr ? 1000 : std::strtoull(text, nullptr, 10);
}

// Fleets of each row.
std::int64_t fleets() {
  const char* text = std::getenv("TONNAGE_BENCH_FLEETS");
  return text == nullptr ? 5 : std::max(1LL, std::strtoll(text, nullptr, 10));
}

struct Fleet {
  OptionTable table;   // one accelerator each
  OptionTable offers;  // and combinations of two
};

Fleet fleet_of(std::int64_t servers, double tightness, std::uint64_t seed, bool mixed) {
  GenerateOptions options;
  options.servers = servers;
  options.accelerators = 24;
  options.tightness = tightness;
  options.seed = seed;
  const System system(generate_fleet(options));
  const Problem problem = build_rows(system, 0);
  std::vector<LineOutcome> lines = select_backend("cpu")->search(problem, {}).lines;
  Fleet fleet{build_options(problem, lines), {}};
  OptimizerSpec optimizer;
  optimizer.heterogeneous = true;
  if (mixed) fleet.offers = offer_options(problem, optimizer, lines, true, 0).table;
  return fleet;
}

bool holds_capacity(const OptionTable& table, const std::vector<Choice>& choices) {
  std::vector<std::int64_t> left = table.capacity;
  for (const Choice& choice : choices) {
    if (choice.option < 0) continue;
    const Option& option = table.options[choice.option];
    if (option.type >= 0) left[option.type] -= choice.num_replicas * option.cards_per_replica;
    for (const Use& use : table.uses_of(option)) {
      left[use.resource] -= use.of(choice.num_replicas, option.num_replicas);
    }
  }
  return std::all_of(left.begin(), left.end(), [](std::int64_t l) { return l >= 0; });
}

struct Totals {
  double cost = 0, value = 0;
  std::map<std::int32_t, std::int64_t> unserved;  // by priority
  std::map<std::int32_t, std::int64_t> servers;
};

Totals totals_of(const OptionTable& table, const std::vector<Choice>& choices) {
  Totals totals;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    const Choice& choice = choices[s];
    ++totals.servers[table.priority[s]];
    if (choice.option < 0 || choice.num_replicas < table.options[choice.option].num_replicas) {
      ++totals.unserved[table.priority[s]];
      continue;
    }
    totals.cost += table.options[choice.option].cost;
    totals.value += table.options[choice.option].value;
  }
  return totals;
}

// In the lexicographic order: class by class the unserved, then value.
bool is_behind(const Totals& plan, const Totals& other) {
  for (const auto& [priority, servers] : plan.servers) {
    const auto unserved = [&](const Totals& t) {
      const auto found = t.unserved.find(priority);
      return found == t.unserved.end() ? 0 : found->second;
    };
    if (unserved(plan) != unserved(other)) return unserved(plan) > unserved(other);
  }
  return plan.value > other.value + 1e-6 * (1 + std::abs(other.value));
}

struct Worst {
  double behind_greedy = 0;
  double gap = 0, gap_cents = 0, stage_excess = 0, seconds = 0, proven = 0;
  double unserved = 0, unserved_bound = 0, value = 0;

  // False if the certificate does not fit the plan.
  bool add(const OptionTable& table, const Selection& selection) {
    if (!holds_capacity(table, selection.choices)) return false;
    const Totals totals = totals_of(table, selection.choices);
    for (const auto& [priority, count] : totals.unserved) {
      unserved += static_cast<double>(count);
    }
    value += totals.value;
    bool all_proven = !selection.stages.empty();
    for (const StageCertificate& stage : selection.stages) {
      all_proven = all_proven && stage.proven;
      if (stage.lower_bound > stage.objective) return false;
      if (stage.priority == StageCertificate::kValueStage) {
        if (std::abs(stage.objective - totals.value) > 1e-6 * (1 + std::abs(totals.value))) {
          return false;
        }
        gap_cents = std::max(gap_cents, stage.objective - stage.lower_bound);
        gap = std::max(gap, (stage.objective - stage.lower_bound) / std::max(totals.cost, 1e-9));
        continue;
      }
      const auto found = totals.unserved.find(stage.priority);
      const std::int64_t count = found == totals.unserved.end() ? 0 : found->second;
      if (stage.objective != static_cast<double>(count)) return false;
      unserved_bound += stage.lower_bound;
      const double allowed = std::max(1.0, 0.002 * stage.lower_bound);
      stage_excess = std::max(stage_excess, stage.objective - stage.lower_bound - allowed);
    }
    proven += all_proven;
    return true;
  }
};

void select(benchmark::State& state, Solver solver, bool mixed) {
  const double tightness = static_cast<double>(state.range(1)) / 100;
  Worst worst;
  std::uint64_t seed = first_seed();
  for (auto _ : state) {
    const Fleet fleet = fleet_of(state.range(0), tightness, seed++, mixed);
    const OptionTable& table = mixed ? fleet.offers : fleet.table;
    const auto start = std::chrono::steady_clock::now();
    Selection selection;
    if (solver == Solver::kPrice) {
      selection = select_price(table);
    } else {
      selection.choices = select_greedy(table, SaturationPolicy::kNone, false);
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.SetIterationTime(seconds);
    worst.seconds = std::max(worst.seconds, seconds);
    if (solver == Solver::kPrice) {
      const auto greedy = select_greedy(fleet.table, SaturationPolicy::kNone, false);
      worst.behind_greedy +=
          is_behind(totals_of(table, selection.choices), totals_of(fleet.table, greedy));
    }
    if (!worst.add(table, selection)) {
      state.SkipWithError("the plan exceeds capacity or its certificate does not fit it");
      return;
    }
  }
  state.counters["worst_s"] = worst.seconds;
  state.counters["unserved"] = worst.unserved;
  state.counters["value"] = worst.value;
  if (solver == Solver::kGreedy) return;
  state.counters["behind_greedy"] = worst.behind_greedy;
  state.counters["gap"] = worst.gap;
  state.counters["gap_cents"] = worst.gap_cents;
  state.counters["unserved_bound"] = worst.unserved_bound;
  state.counters["stage_excess"] = worst.stage_excess;
  state.counters["proven"] = worst.proven / static_cast<double>(state.iterations());
}

void register_selection() {
  const auto axes = [](benchmark::internal::Benchmark* b, std::int64_t most_servers) {
    b->ArgNames({"servers", "tightness"})
        ->Iterations(fleets())
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
    for (std::int64_t servers = 30; servers <= most_servers; servers *= 10) {
      for (const std::int64_t tightness : {70, 80, 90, 95}) b->Args({servers, tightness});
    }
  };
  constexpr std::int64_t kMost = 300000, kMostMixed = 30000;
  axes(benchmark::RegisterBenchmark("select/greedy", select, Solver::kGreedy, false), kMost);
  axes(benchmark::RegisterBenchmark("select/price", select, Solver::kPrice, false), kMost);
  axes(benchmark::RegisterBenchmark("select/mixed", select, Solver::kPrice, true), kMostMixed);
}

const bool kRegistered = (register_selection(), true);

}  // namespace
}  // namespace tonnage::bench
