#include "tonnage/host/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "parallel.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/price_selection.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kServersPerChunk = 512;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

// How far the best latency of an infeasible line is above its target; 0 for other reasons.
double miss_ratio(const ServerRow& server, const LineOutcome& outcome) {
  switch (outcome.reason) {
    case Reason::kItlTarget:
      return outcome.best_achievable / server.targets.itl_ms;
    case Reason::kTtftTarget:
      return outcome.best_achievable / server.targets.ttft_ms;
    case Reason::kE2eTarget:
      return outcome.best_achievable / server.targets.e2e_ms;
    case Reason::kDropTarget:
      return outcome.best_achievable / server.targets.drop;
    default:
      return 0;
  }
}

// A clause that says why one pair is not a candidate, with the values that decide it.
std::string pair_detail(const ServerRow& server, const LineOutcome& outcome) {
  switch (outcome.reason) {
    case Reason::kItlTarget:
      return fmt::format("ITL is at best {:.4g} ms, target {:.4g} ms", outcome.best_achievable,
                         server.targets.itl_ms);
    case Reason::kTtftTarget:
      return fmt::format("TTFT is at best {:.4g} ms{}, target {:.4g} ms", outcome.best_achievable,
                         server.targets.binds_percentile()
                             ? fmt::format(" at p{}", server.targets.ttft_percentile)
                             : "",
                         server.targets.ttft_ms);
    case Reason::kE2eTarget:
      return fmt::format("response time is at best {:.4g} ms, target {:.4g} ms",
                         outcome.best_achievable, server.targets.e2e_ms);
    case Reason::kDropTarget:
      return fmt::format("drop probability is at best {:.4g}, target {:.4g}",
                         outcome.best_achievable, server.targets.drop);
    case Reason::kAboveMaxReplicas:
      return fmt::format("needs {} replicas, maxNumReplicas is {}", outcome.num_replicas,
                         server.max_replicas);
    default:
      return std::string(describe(outcome.reason));
  }
}

// Why a server has no candidate on any accelerator: the nearest misses first.
std::string no_candidates_detail(const Problem& problem, const std::vector<LineOutcome>& outcomes,
                                 std::int64_t s) {
  const ServerRow& server = problem.servers[s];
  std::vector<std::int64_t> lines;
  for (std::int64_t i = problem.first_line[s]; i < problem.first_line[s + 1]; ++i) {
    lines.push_back(i);
  }
  if (lines.empty()) {
    return std::string(
               describe(server.keeps_accelerator ? Reason::kKeptElsewhere : Reason::kNoPerfData)) +
           (server.keeps_accelerator ? ", which has no performance data for the model"
                                     : " or any other");
  }
  std::stable_sort(lines.begin(), lines.end(), [&](std::int64_t a, std::int64_t b) {
    return miss_ratio(server, outcomes[a]) < miss_ratio(server, outcomes[b]);
  });
  constexpr std::size_t kShown = 3;
  std::string text = std::string(describe(Reason::kNoCandidates)) + ": ";
  for (std::size_t i = 0; i < lines.size() && i < kShown; ++i) {
    const PerfRow& perf = problem.perfs[problem.lines[lines[i]].perf];
    text +=
        fmt::format("{}{}: {}", i == 0 ? "" : "; ", problem.accelerators[perf.accelerator].name(),
                    pair_detail(server, outcomes[lines[i]]));
  }
  if (lines.size() > kShown) text += fmt::format("; and {} more", lines.size() - kShown);
  return text;
}

std::string server_detail(const System& system, const std::string& name, Reason reason) {
  const Server& server = *system.find_server(name);
  switch (reason) {
    case Reason::kUnknownClass:
      return fmt::format("the service class \"{}\" is unknown", server.class_name());
    case Reason::kUnknownModel:
      return fmt::format("the model \"{}\" is unknown", server.model());
    case Reason::kNoTarget:
      return fmt::format("the service class \"{}\" has no target for the model \"{}\"",
                         server.class_name(), server.model());
    default:
      return std::string(describe(reason));
  }
}

std::string no_capacity_detail(const Problem& problem, const OptionTable& table, std::int64_t s,
                               const std::vector<std::int64_t>& used) {
  const Option& best = table.options[table.first[s]];
  const std::int64_t left = std::max<std::int64_t>(0, table.capacity[best.type] - used[best.type]);
  return fmt::format("{}: the best option, {} x {}, needs {} cards of type {}, {} are left",
                     describe(Reason::kNoCapacity), best.num_replicas,
                     problem.accelerators[best.accelerator].name(), best.cards(),
                     problem.type_names[best.type], left);
}

PlannedServer planned_server(const System& system, const Problem& problem,
                             const std::vector<LineOutcome>& outcomes, const Option& option,
                             std::int64_t granted) {
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

void summarize_types(const Problem& problem, const OptionTable& table,
                     const std::vector<Choice>& choices, std::vector<std::int64_t>& used,
                     PlanSummary& summary) {
  used.assign(problem.type_names.size(), 0);
  std::vector<double> cost(problem.type_names.size(), 0.0);
  for (const Choice& choice : choices) {
    if (choice.option < 0) continue;
    const Option& option = table.options[choice.option];
    if (option.type < 0 || choice.num_replicas == 0) continue;
    used[option.type] =
        saturating_add(used[option.type], choice.num_replicas * option.cards_per_replica);
    cost[option.type] += option.cost * static_cast<double>(choice.num_replicas) /
                         static_cast<double>(option.num_replicas);
  }
  for (std::size_t t = 0; t < problem.type_names.size(); ++t) {
    TypeUsage usage;
    usage.type = problem.type_names[t];
    usage.used = used[t];
    usage.cost = cost[t];
    if (problem.type_has_capacity[t]) usage.limit = problem.type_capacity[t];
    summary.types.push_back(std::move(usage));
  }
}

SearchOptions search_options(const PlannerOptions& options) {
  SearchOptions search;
  search.batch = options.batch;
  search.num_threads = options.num_threads;
  search.progress = options.progress;
  return search;
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
  }
  return "unknown";
}

bool parse_solver(std::string_view name, Solver& solver) {
  for (const Solver s : {Solver::kAuto, Solver::kUnlimited, Solver::kGreedy, Solver::kPrice}) {
    if (name == to_string(s)) {
      solver = s;
      return true;
    }
  }
  return false;
}

Plan make_plan(const System& system, const OptimizerSpec& optimizer,
               const PlannerOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Problem problem = build_problem(system);
  const std::unique_ptr<Evaluator> backend =
      select_backend(options.backend, std::ssize(problem.lines));
  const std::vector<LineOutcome> outcomes = backend->search(problem, search_options(options)).lines;
  const auto evaluated = std::chrono::steady_clock::now();

  Solver solver = options.solver;
  if (solver == Solver::kAuto) {
    solver = optimizer.unlimited ? Solver::kUnlimited : Solver::kGreedy;
  }
  const OptionTable table = build_options(problem, outcomes);
  Plan plan;
  PlanSummary& summary = plan.summary;
  std::vector<Choice> choices;
  if (solver == Solver::kPrice) {
    PriceOptions price;
    price.num_threads = options.num_threads;
    price.policy = optimizer.saturation_policy;
    price.delayed_best_effort = optimizer.delayed_best_effort;
    price.progress = options.progress;
    Selection selection = select_price(table, price);
    choices = std::move(selection.choices);
    summary.stages = std::move(selection.stages);
  } else if (solver == Solver::kGreedy) {
    choices = select_greedy(table, optimizer.saturation_policy, optimizer.delayed_best_effort);
  } else {
    choices = select_unlimited(table);
  }
  summary.solver = to_string(solver);
  summary.backend = backend->name();
  summary.version = version();
  summary.num_candidates = static_cast<std::int64_t>(table.options.size());
  summary.selection_s = seconds_since(evaluated);
  summary.evaluation_s = std::chrono::duration<double>(evaluated - start).count();
  std::vector<std::int64_t> used;
  summarize_types(problem, table, choices, used, summary);

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
    UnallocatedServer left;
    left.server = problem.server_names[s];
    left.priority = table.priority[s];
    if (problem.servers[s].load_kind == LoadKind::kUnplannable) {
      left.reason = problem.servers[s].reason;
      left.detail = server_detail(system, left.server, left.reason);
    } else if (table.first[s] == table.first[s + 1]) {
      left.reason = Reason::kNoCandidates;
      left.detail = no_candidates_detail(problem, outcomes, s);
    } else {
      left.reason = Reason::kNoCapacity;
      left.detail = no_capacity_detail(problem, table, s, used);
    }
    plan.unallocated.push_back(std::move(left));
  }
  for (const auto& [priority, outcome] : priorities) summary.priorities.push_back(outcome);

  plan.allocations.resize(allocated.size());
  const auto count = static_cast<std::int64_t>(allocated.size());
  parallel_chunks(
      count, kServersPerChunk, options.num_threads,
      [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          const Choice& choice = choices[allocated[i]];
          plan.allocations[i] = planned_server(system, problem, outcomes,
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
  return plan;
}

std::vector<Candidate> list_candidates(const System& system, const CandidateQuery& query,
                                       const PlannerOptions& options) {
  if (!query.server.empty() && system.find_server(query.server) == nullptr) {
    throw Error(ErrorCode::kNotFound, fmt::format("server \"{}\" is unknown", query.server));
  }
  if (!query.accelerator.empty() && system.find_accelerator(query.accelerator) == nullptr) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("accelerator \"{}\" is unknown", query.accelerator));
  }
  Problem problem = build_problem(system);
  // Every pair in name order with its line, or -1 where none exists.
  struct Pair {
    std::int64_t server;
    std::int32_t accelerator;
    std::int64_t line;
  };
  std::vector<Pair> pairs;
  std::vector<LineRow> asked;
  for (std::int64_t s = 0; s < static_cast<std::int64_t>(problem.servers.size()); ++s) {
    if (!query.server.empty() && problem.server_names[s] != query.server) continue;
    std::int64_t line = problem.first_line[s];
    const std::int64_t end = problem.first_line[s + 1];
    for (std::int32_t a = 0; a < static_cast<std::int32_t>(problem.accelerators.size()); ++a) {
      const bool has_line = line < end && problem.perfs[problem.lines[line].perf].accelerator == a;
      const bool wanted =
          query.accelerator.empty() || problem.accelerators[a].name() == query.accelerator;
      if (wanted && has_line) {
        pairs.push_back({s, a, static_cast<std::int64_t>(asked.size())});
        asked.push_back(problem.lines[line]);
      } else if (wanted && query.infeasible) {
        pairs.push_back({s, a, -1});
      }
      line += has_line;
    }
  }
  problem.lines = std::move(asked);
  const std::vector<LineOutcome> outcomes =
      select_backend(options.backend, std::ssize(problem.lines))
          ->search(problem, search_options(options))
          .lines;

  // The empty allocation is the same on every accelerator: shown once per server.
  std::erase_if(pairs, [&, last = std::int64_t{-1}](const Pair& p) mutable {
    if (p.line < 0) return false;
    const LineOutcome& outcome = outcomes[p.line];
    if (!outcome.feasible()) return !query.infeasible;
    if (outcome.num_replicas > 0) return false;
    const bool repeated = last == p.server;
    last = p.server;
    return repeated;
  });

  std::vector<Candidate> candidates(pairs.size());
  parallel_chunks(static_cast<std::int64_t>(pairs.size()), kServersPerChunk, options.num_threads,
                  [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t i = first; i < last; ++i) {
                      const Pair& pair = pairs[i];
                      const ServerRow& server = problem.servers[pair.server];
                      Candidate& c = candidates[i];
                      c.server = problem.server_names[pair.server];
                      c.accelerator = problem.accelerators[pair.accelerator].name();
                      LineOutcome outcome;
                      if (pair.line >= 0) {
                        outcome = outcomes[pair.line];
                      } else if (server.load_kind == LoadKind::kUnplannable) {
                        outcome.reason = server.reason;
                      } else {
                        const bool kept = server.keeps_accelerator &&
                                          server.current_accelerator != pair.accelerator;
                        outcome.reason = kept ? Reason::kKeptElsewhere : Reason::kNoPerfData;
                      }
                      c.reason = outcome.reason;
                      c.allocation.load = system.find_server(c.server)->load();
                      if (!outcome.feasible()) {
                        c.detail = server.load_kind == LoadKind::kUnplannable
                                       ? server_detail(system, c.server, outcome.reason)
                                       : pair_detail(server, outcome);
                        continue;
                      }
                      const PerfRow& perf = problem.perfs[problem.lines[pair.line].perf];
                      c.value = line_value(server, perf, outcome);
                      if (outcome.num_replicas == 0) {
                        c.accelerator.clear();
                        continue;
                      }
                      c.metrics = allocation_metrics(
                          server, perf, problem.accelerators[pair.accelerator], outcome);
                      c.allocation.accelerator = c.accelerator;
                      c.allocation.num_replicas = outcome.num_replicas;
                      c.allocation.max_batch = outcome.max_batch;
                      c.allocation.cost_cents_per_hour = line_cost(perf, outcome);
                      c.allocation.itl_average_ms = c.metrics.itl_ms;
                      c.allocation.ttft_average_ms = c.metrics.ttft_ms;
                    }
                  });
  return candidates;
}

}  // namespace tonnage
