// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Generates fleets: draws servers in chunks, sizes them, gives them current allocations and derives
// the capacity. Catalogue and workload are in files of their own.
#include "tonnage/host/generate.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "host/generate/catalog.hpp"
#include "host/generate/random.hpp"
#include "host/generate/workload.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/line_sizing.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

using generate::Random;

// Servers drawn and sized at a time. Draws of different servers are independent, so memory does not
// grow with the fleet.
constexpr std::int64_t kChunk = 16384;

void check_range(const char* name, std::int64_t value, std::int64_t limit) {
  if (value >= 1 && value <= limit) return;
  throw Error(ErrorCode::kInvalidInput, std::string(name) + ": " + std::to_string(value) +
                                            " is not in 1 .. " + std::to_string(limit));
}

void check(const GenerateOptions& options) {
  check_range("servers", options.servers, kMaxGeneratedServers);
  check_range("accelerators", options.accelerators, kMaxGeneratedAccelerators);
  check_range("models", options.models, kMaxGeneratedModels);
  if (!(options.tightness >= kMinTightness && options.tightness <= kMaxTightness)) {
    throw Error(ErrorCode::kInvalidInput,
                "tightness: " + std::to_string(options.tightness) + " is not in 0.01 .. 100");
  }
}

// A range of servers of the fleet with their random streams and rows, in order of names.
struct Chunk {
  std::span<ServerSpec> specs;
  std::vector<Random> randoms;       // [specs]
  std::vector<std::size_t> spec_of;  // [rows]
  Problem problem;
  std::vector<LineOutcome> outcomes;
};

std::vector<std::int64_t> feasible_lines(const Chunk& chunk, std::int64_t row) {
  std::vector<std::int64_t> lines;
  for (std::int64_t l = chunk.problem.first_line[row]; l < chunk.problem.first_line[row + 1]; ++l) {
    if (chunk.outcomes[l].feasible()) lines.push_back(l);
  }
  return lines;
}

// Targets do not depend on prompt lengths. A server that no accelerator answers in time gets
// shorter prompts until one does.
std::vector<std::int64_t> shorten_until_feasible(Chunk& chunk, std::int64_t row) {
  ServerRow& server = chunk.problem.servers[row];
  LoadSpec& load = chunk.specs[chunk.spec_of[row]].current_alloc.load;
  std::vector<std::int64_t> lines = feasible_lines(chunk, row);
  while (lines.empty() && load.avg_in_tokens > 1) {
    load.avg_in_tokens /= 2;
    server.in_tokens = static_cast<double>(load.avg_in_tokens);
    for (std::int64_t l = chunk.problem.first_line[row]; l < chunk.problem.first_line[row + 1];
         ++l) {
      chunk.outcomes[l] = size_line(server, chunk.problem.perfs[chunk.problem.lines[l].perf]);
    }
    lines = feasible_lines(chunk, row);
  }
  return lines;
}

// Draws the current allocation: mostly the cheapest accelerator, with about the replicas needed.
void draw_current(Chunk& chunk, std::int64_t row, const std::vector<std::int64_t>& feasible) {
  Random& random = chunk.randoms[chunk.spec_of[row]];
  if (feasible.empty() || random.chance(0.15)) return;
  Problem& problem = chunk.problem;
  const auto cost = [&](std::int64_t line) {
    return line_cost(problem.perfs[problem.lines[line].perf], chunk.outcomes[line]);
  };
  const bool at_cheapest = random.chance(0.4);
  const std::int64_t any = feasible[random.below(static_cast<std::int64_t>(feasible.size()))];
  const std::int64_t line =
      at_cheapest ? *std::min_element(feasible.begin(), feasible.end(),
                                      [&](auto a, auto b) { return cost(a) < cost(b); })
                  : any;
  ServerRow& server = problem.servers[row];
  const PerfRow& perf = problem.perfs[problem.lines[line].perf];
  const LineOutcome& needed = chunk.outcomes[line];
  const double drift = random.chance(0.4) ? 1.0 : random.lognormal(1.0, 0.25);
  const double replicas =
      std::max(1.0, std::round(drift * static_cast<double>(needed.num_replicas)));

  AllocationSpec& current = chunk.specs[chunk.spec_of[row]].current_alloc;
  current.accelerator = problem.accelerators[perf.accelerator].name();
  current.num_replicas = static_cast<std::int64_t>(replicas);
  // The billed cost, within half a percent of the list price. Costs of options are multiples of
  // 1/100 cent; odd last digits here keep two options from having equal values.
  const double billed = perf.cost_per_replica * replicas * random.uniform(0.995, 1.005);
  current.cost_cents_per_hour =
      (std::floor(billed * 100) * 100 + static_cast<double>(1 + random.below(99))) / 10000;
  current.max_batch = batch_ceiling(server, perf);
  if (server.load_kind == LoadKind::kLoaded) {
    const QueueShape shape = queue_shape(server, perf, current.max_batch);
    const QueueMetrics metrics = evaluate_queue(shape.service, shape.max_batch, shape.max_queue,
                                                server.total_rate_per_ms / replicas);
    current.itl_average_ms = generate::round_steps(metrics.itl_ms, 100);
    current.ttft_average_ms = generate::round_steps(metrics.ttft_ms, 100);
  }
  server.current_accelerator = perf.accelerator;
  server.current_replicas = current.num_replicas;
  server.current_cost = current.cost_cents_per_hour;

  if (server.load_kind != LoadKind::kLoaded || !random.chance(0.05)) return;
  chunk.specs[chunk.spec_of[row]].keep_accelerator = true;
  for (const std::int64_t other : feasible) {
    if (other != line) chunk.outcomes[other].reason = Reason::kKeptElsewhere;
  }
}

// Sizes a chunk, draws current allocations, and adds the cards of the cheapest options to
// `cards_used`.
void settle(Chunk chunk, SystemSpec surroundings, std::map<std::string, std::int64_t>& cards_used) {
  surroundings.servers.assign(chunk.specs.begin(), chunk.specs.end());
  chunk.spec_of.resize(chunk.specs.size());
  std::iota(chunk.spec_of.begin(), chunk.spec_of.end(), std::size_t{0});
  std::sort(chunk.spec_of.begin(), chunk.spec_of.end(), [&](std::size_t a, std::size_t b) {
    return chunk.specs[a].name < chunk.specs[b].name;
  });
  chunk.problem = build_problem(System(surroundings));
  chunk.outcomes = size_lines(chunk.problem);

  const auto num_rows = static_cast<std::int64_t>(chunk.problem.servers.size());
  for (std::int64_t row = 0; row < num_rows; ++row) {
    draw_current(chunk, row, shorten_until_feasible(chunk, row));
  }
  const OptionTable table = build_options(chunk.problem, chunk.outcomes);
  for (const Choice& choice : select_unlimited(table)) {
    if (choice.option < 0 || choice.num_replicas == 0) continue;
    const Option& option = table.options[choice.option];
    cards_used[chunk.problem.type_names[option.type]] += option.cards();
  }
}

}  // namespace

SystemSpec generate_fleet(const GenerateOptions& options, const ProgressCallback& progress) {
  check(options);
  SystemSpec fleet;
  fleet.accelerators = generate::catalog_accelerators(options.accelerators, options.seed);
  const auto models = generate::catalog_models(options.models, options.accelerators, options.seed);
  for (const auto& model : models) {
    fleet.models.insert(fleet.models.end(), model.perfs.begin(), model.perfs.end());
  }
  fleet.service_classes = generate::draw_classes(models, options.seed);
  const SystemSpec surroundings = fleet;

  const generate::ModelPicker picker(models);
  fleet.servers.resize(static_cast<std::size_t>(options.servers));
  std::map<std::string, std::int64_t> cards_used;
  for (std::int64_t first = 0; first < options.servers; first += kChunk) {
    const std::int64_t count = std::min(kChunk, options.servers - first);
    Chunk chunk;
    chunk.specs = std::span(fleet.servers).subspan(first, count);
    for (std::int64_t i = first; i < first + count; ++i) {
      Random random(options.seed, generate::Purpose::kServer, static_cast<std::uint64_t>(i));
      fleet.servers[i] = generate::draw_server(i, picker, random);
      chunk.randoms.push_back(random);
    }
    settle(std::move(chunk), surroundings, cards_used);
    if (progress) progress("generating", first + count, options.servers);
  }

  for (const AcceleratorSpec& accelerator : fleet.accelerators) {
    const auto listed = [&](const CapacitySpec& c) { return c.type == accelerator.type; };
    if (std::any_of(fleet.capacities.begin(), fleet.capacities.end(), listed)) continue;
    // The product may exceed a whole number by rounding; that must not add a card.
    const double cards = options.tightness * static_cast<double>(cards_used[accelerator.type]);
    fleet.capacities.push_back(
        {accelerator.type, static_cast<std::int64_t>(std::ceil(cards * (1 - 1e-12)))});
  }
  return fleet;
}

}  // namespace tonnage
