#include "tonnage/host/planner.hpp"

#include <algorithm>
#include <limits>

#include "core/src/check.hpp"
#include "host/base/parallel.hpp"
#include "host/options/mixes.hpp"
#include "host/plan/planning.hpp"
#include "host/plan/reasons.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kServersPerChunk = 512;

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

PlannedServer planned_server(const System& system, const Problem& problem, const OptionTable& table,
                             const std::vector<LineOutcome>& outcomes, const Option& option,
                             std::int64_t granted) {
  TONNAGE_CHECK(granted >= 0 && granted <= option.num_replicas);
  const LineRow& line = problem.lines[option.line];
  const ServerRow& server = problem.servers[line.server];
  const PerfRow& perf = problem.perfs[line.perf];
  LineOutcome outcome = outcomes[option.line];
  PlannedServer r;
  r.server = problem.server_names[line.server];
  r.priority = server.priority;
  r.replicas_needed = option.num_replicas;
  r.partial = granted < option.num_replicas;
  outcome.num_replicas = granted;
  const double share =
      r.partial ? static_cast<double>(granted) / static_cast<double>(option.num_replicas) : 1.0;
  r.value = option.value * share;
  r.allocation.load = system.find_server(r.server)->load();
  if (granted == 0) return r;
  if (option.mix >= 0) {
    describe_mix(problem, outcomes, table.mixes[option.mix], r);
    return r;
  }
  const Accelerator& accelerator = problem.accelerators[perf.accelerator];
  r.metrics = allocation_metrics(server, perf, accelerator, outcome);
  r.allocation.accelerator = accelerator.name();
  r.allocation.num_replicas = granted;
  r.allocation.max_batch = outcome.max_batch;
  r.allocation.cost_cents_per_hour = line_cost(perf, outcome);
  r.allocation.itl_average_ms = r.metrics.itl_ms;
  r.allocation.ttft_average_ms = r.metrics.ttft_ms;
  return r;
}

void summarize_types(const Problem& problem, const OptionTable& table, const Selection& selection,
                     PlanSummary& summary) {
  std::vector<std::int64_t> used(problem.type_names.size(), 0);
  std::vector<double> cost(problem.type_names.size(), 0.0);
  for (const Choice& choice : selection.choices) {
    if (choice.option < 0) continue;
    const Option& option = table.options[choice.option];
    if (option.type < 0 || choice.num_replicas == 0) continue;
    const auto add = [&](const PerfRow& perf, std::int64_t replicas) {
      std::int64_t& cards = used[perf.type];
      if (__builtin_add_overflow(cards, replicas * perf.cards_per_replica, &cards)) {
        cards = std::numeric_limits<std::int64_t>::max();
      }
      cost[perf.type] += perf.cost_per_replica * static_cast<double>(replicas);
    };
    const auto perf = [&](std::int64_t line) -> const PerfRow& {
      return problem.perfs[problem.lines[line].perf];
    };
    if (option.mix < 0) {
      add(perf(option.line), choice.num_replicas);
    } else {
      for (const Mix::Part& part : table.mixes[option.mix].parts) {
        add(perf(part.line), part.num_replicas);
      }
    }
  }
  for (std::size_t t = 0; t < problem.type_names.size(); ++t) {
    TypeUsage usage;
    usage.type = problem.type_names[t];
    usage.used = used[t];
    usage.cost = cost[t];
    if (t < selection.type_prices.size()) usage.price = selection.type_prices[t];
    if (problem.type_has_capacity[t]) usage.limit = problem.type_capacity[t];
    summary.types.push_back(std::move(usage));
  }
}

bool changes(const Problem& problem, const OptionTable& table, std::int64_t server,
             const Option& option, std::int64_t granted) {
  return option.mix < 0 ? is_change(problem.servers[server], option.accelerator, granted)
                        : mix_transition(problem, table.mixes[option.mix], option.cost).changed;
}

// What the plan takes of each limit; prices per cent/hour, watt and server in place of units.
void summarize_limits(const Planning& planning, const OptimizerSpec& optimizer,
                      const std::vector<std::int64_t>& allocated, Plan& plan) {
  PlanSummary& summary = plan.summary;
  for (std::size_t l = 0; l < planning.limits.size(); ++l) {
    const Limit& limit = planning.limits[l];
    LimitUsage usage;
    usage.name = limit.name();
    usage.limit = limit.amount;
    if (limit.kind == Limit::Kind::kCost) usage.used = summary.total_cost;
    for (std::size_t i = 0; i < allocated.size(); ++i) {
      const PlannedServer& server = plan.allocations[i];
      if (limit.kind == Limit::Kind::kPower) usage.used += server.metrics.power_w * optimizer.pue;
      if (limit.kind != Limit::Kind::kChanges) continue;
      const Choice& choice = planning.selection.choices[allocated[i]];
      const Option& option = planning.table.options[choice.option];
      if (changes(planning.problem, planning.table, allocated[i], option, choice.num_replicas)) {
        usage.used += 1;
      }
    }
    if (l < planning.selection.limit_prices.size()) {
      usage.price = planning.selection.limit_prices[l] / limit.unit;
    }
    for (StageCertificate& stage : summary.stages) {
      if (l < stage.limit_prices.size()) stage.limit_prices[l] /= limit.unit;
    }
    summary.limits.push_back(std::move(usage));
  }
}

}  // namespace

std::string_view version() { return TONNAGE_VERSION; }

std::string_view to_string(Solver solver) {
  switch (solver) {
    case Solver::kAuto:
      return "auto";
    case Solver::kUnlimited:
      return "unlimited";
    case Solver::kGreedy:
      return "greedy";
    case Solver::kPrice:
      return "price";
    case Solver::kMilp:
      return "milp";
  }
  return "unknown";
}

bool parse_solver(std::string_view name, Solver& solver) {
  for (const Solver s :
       {Solver::kAuto, Solver::kUnlimited, Solver::kGreedy, Solver::kPrice, Solver::kMilp}) {
    if (name == to_string(s)) {
      solver = s;
      return true;
    }
  }
  return false;
}

Plan make_plan(const System& system, const OptimizerSpec& optimizer,
               const PlannerOptions& options) {
  Planning planning = run_planning(system, optimizer, options);
  const Problem& problem = planning.problem;
  const OptionTable& table = planning.table;
  const std::vector<LineOutcome>& outcomes = planning.found.lines;
  const std::vector<Choice>& choices = planning.selection.choices;
  Plan plan;
  PlanSummary& summary = plan.summary;
  summary.stages = planning.selection.stages;
  summary.iterations = planning.selection.iterations;
  summary.solver = to_string(planning.solver);
  summary.backend = planning.backend;
  summary.version = version();
  summary.num_pairs = std::ssize(problem.lines);
  summary.candidates_swept = planning.found.candidates_swept;
  summary.candidates_passed = planning.found.candidates_passed;
  summary.num_candidates = static_cast<std::int64_t>(table.options.size());
  summary.selection_s = planning.selection_s;
  summary.evaluation_s = planning.evaluation_s;
  const std::vector<std::int64_t> left = left_by(table, choices);
  summarize_types(problem, table, planning.selection, summary);

  // Allocated servers are described in parallel, each into its own place.
  std::vector<std::int64_t> allocated;
  std::map<int, PriorityOutcome> priorities;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    PriorityOutcome& group = priorities[table.priority[s]];
    group.priority = table.priority[s];
    const Choice& choice = choices[s];
    const bool empty = choice.option >= 0 && table.options[choice.option].num_replicas == 0;
    if (choice.option >= 0 && (choice.num_replicas > 0 || empty)) {
      allocated.push_back(s);
      const bool whole = choice.num_replicas == table.options[choice.option].num_replicas;
      ++(whole ? group.served : group.partial);
      continue;
    }
    ++group.unserved;
    UnallocatedServer unserved;
    unserved.server = problem.server_names[s];
    unserved.priority = table.priority[s];
    if (problem.servers[s].load_kind == LoadKind::kUnplannable) {
      unserved.reason = problem.servers[s].reason;
      unserved.detail = server_detail(system, unserved.server, unserved.reason);
    } else if (table.first[s] == table.first[s + 1]) {
      unserved.reason = Reason::kNoCandidates;
      unserved.detail = no_candidates_detail(problem, outcomes, s);
    } else {
      unserved.reason = Reason::kNoCapacity;
      unserved.detail = no_capacity_detail(planning, s, left);
    }
    plan.unallocated.push_back(std::move(unserved));
  }
  // Class prices are in the order of the counting stages. Of a class that is served whole the price
  // proves the bound and means no more.
  for (std::size_t k = 0; k < planning.selection.class_prices.size(); ++k) {
    if (summary.stages[k].objective == 0) continue;
    priorities.at(summary.stages[k].priority).price = planning.selection.class_prices[k];
  }
  for (const auto& [priority, outcome] : priorities) summary.priorities.push_back(outcome);

  plan.allocations.resize(allocated.size());
  const auto count = static_cast<std::int64_t>(allocated.size());
  parallel_chunks(
      count, kServersPerChunk, options.num_threads,
      [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          const Choice& choice = choices[allocated[i]];
          plan.allocations[i] = planned_server(system, problem, table, outcomes,
                                               table.options[choice.option], choice.num_replicas);
        }
      },
      [&](std::int64_t done) {
        if (options.progress) options.progress("metrics", done, count);
      });
  for (const PlannedServer& server : plan.allocations) {
    summary.total_cost += server.allocation.cost_cents_per_hour;
    summary.total_value += server.value;
  }
  summarize_limits(planning, optimizer, allocated, plan);
  return plan;
}

}  // namespace tonnage
