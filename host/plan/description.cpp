// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Descriptions of what was chosen: a line, a mix, and what a plan grants of an option.
#include "host/plan/description.hpp"

#include <algorithm>
#include <array>

#include "core/src/check.hpp"
#include "host/options/mixes.hpp"

namespace tonnage {
namespace {

void describe_mix(const Problem& problem, const std::vector<LineOutcome>& outcomes, const Mix& mix,
                  PlannedServer& r) {
  const std::array<PartMetrics, 2> parts = mix_metrics(problem, outcomes, mix);
  AllocationSpec& all = r.allocation;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PerfRow& perf = problem.perfs[problem.lines[mix.parts[i].line].perf];
    AllocationPart part;
    part.accelerator = problem.accelerators[perf.accelerator].name();
    part.num_replicas = mix.parts[i].num_replicas;
    part.max_batch = outcomes[mix.parts[i].line].max_batch;
    part.cost_cents_per_hour = perf.cost_per_replica * static_cast<double>(part.num_replicas);
    if (i > 0) all.accelerator += kPartSeparator;
    all.accelerator += part.accelerator;
    all.num_replicas += part.num_replicas;
    all.max_batch = std::max(all.max_batch, part.max_batch);
    all.cost_cents_per_hour += part.cost_cents_per_hour;
    all.parts.push_back(std::move(part));
    r.parts.push_back({parts[i].share, parts[i].metrics});
  }
  r.metrics = combined_metrics(parts);
  r.replicas_needed = all.num_replicas;
  all.itl_average_ms = r.metrics.itl_ms;
  all.ttft_average_ms = r.metrics.ttft_ms;
}

}  // namespace

void describe_line(const Problem& problem, const LineRow& line, const LineOutcome& outcome,
                   ServerAllocation& described) {
  const PerfRow& perf = problem.perfs[line.perf];
  const Accelerator& accelerator = problem.accelerators[perf.accelerator];
  described.metrics = allocation_metrics(problem.servers[line.server], perf, accelerator, outcome);
  AllocationSpec& allocation = described.allocation;
  allocation.accelerator = accelerator.name();
  allocation.num_replicas = outcome.num_replicas;
  allocation.max_batch = outcome.max_batch;
  allocation.cost_cents_per_hour = line_cost(perf, outcome);
  allocation.itl_average_ms = described.metrics.itl_ms;
  allocation.ttft_average_ms = described.metrics.ttft_ms;
}

PlannedServer describe_choice(const System& system, const Planning& planning,
                              const Choice& choice) {
  const Problem& problem = planning.problem;
  const Option& option = planning.table.options[choice.option];
  const LineRow& line = problem.lines[option.line];
  TONNAGE_CHECK(choice.num_replicas >= 0 && choice.num_replicas <= option.num_replicas);
  PlannedServer r;
  r.server = problem.server_names[line.server];
  r.priority = problem.servers[line.server].priority;
  r.replicas_needed = option.num_replicas;
  r.partial = choice.num_replicas < option.num_replicas;
  const double share = r.partial ? static_cast<double>(choice.num_replicas) /
                                       static_cast<double>(option.num_replicas)
                                 : 1.0;
  r.value = option.value * share;
  r.allocation.load = system.find_server(r.server)->load();
  if (choice.num_replicas == 0) return r;
  if (option.mix >= 0) {
    describe_mix(problem, planning.found.lines, planning.table.mixes[option.mix], r);
    return r;
  }
  LineOutcome granted = planning.found.lines[option.line];
  granted.num_replicas = choice.num_replicas;
  describe_line(problem, line, granted, r);
  return r;
}

}  // namespace tonnage
