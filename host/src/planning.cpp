#include "planning.hpp"

#include <chrono>
#include <cmath>

#include "parallel.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/milp_selection.hpp"

namespace tonnage {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Selection select(const OptionTable& table, Solver solver, const OptimizerSpec& optimizer,
                 const PlannerOptions& options) {
  if (solver == Solver::kPrice) {
    PriceOptions price;
    price.num_threads = options.num_threads;
    price.policy = optimizer.saturation_policy;
    price.delayed_best_effort = optimizer.delayed_best_effort;
    price.progress = options.progress;
    return select_price(table, price);
  }
  if (solver == Solver::kMilp) {
    MilpOptions milp;
    milp.num_threads = options.num_threads;
    milp.policy = optimizer.saturation_policy;
    milp.delayed_best_effort = optimizer.delayed_best_effort;
    milp.time_limit_s = options.time_limit_s;
    milp.progress = options.progress;
    return select_milp(table, milp);
  }
  Selection selection;
  selection.choices = solver == Solver::kGreedy ? select_greedy(table, optimizer.saturation_policy,
                                                                optimizer.delayed_best_effort)
                                                : select_unlimited(table);
  return selection;
}

}  // namespace

Problem build_rows(const System& system, int num_threads) {
  constexpr std::int64_t kServersPerChunk = 4096;
  return build_problem(system, [num_threads](std::int64_t count, const auto& body) {
    parallel_chunks(count, kServersPerChunk, num_threads, body);
  });
}

OptionTable offer_options(const Problem& problem, const OptimizerSpec& optimizer,
                          std::vector<LineOutcome>& outcomes) {
  if (optimizer.spare_replicas > 0) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const ServerRow& server = problem.servers[problem.lines[i].server];
      LineOutcome& outcome = outcomes[i];
      if (server.load_kind != LoadKind::kLoaded || !outcome.feasible()) continue;
      outcome.num_replicas += optimizer.spare_replicas;
      if (server.max_replicas > 0 && outcome.num_replicas > server.max_replicas) {
        outcome.reason = Reason::kAboveMaxReplicas;
      }
    }
  }
  OptionTable table = build_options(problem, outcomes);
  if (optimizer.headroom > 0) {
    for (std::int64_t& cards : table.capacity) {
      cards = static_cast<std::int64_t>(
          std::floor(static_cast<double>(cards) * (1 - optimizer.headroom) * (1 + 1e-12)));
    }
  }
  return table;
}

SearchOptions search_options(const PlannerOptions& options) {
  SearchOptions search;
  search.batch = options.batch;
  search.num_threads = options.num_threads;
  search.progress = options.progress;
  return search;
}

Planning run_planning(const System& system, const OptimizerSpec& optimizer,
                      const PlannerOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Planning p;
  p.problem = build_rows(system, options.num_threads);
  const std::unique_ptr<Evaluator> backend =
      select_backend(options.backend, std::ssize(p.problem.lines));
  p.backend = backend->name();
  p.found = backend->search(p.problem, search_options(options));
  p.evaluation_s = seconds_since(start);
  const auto evaluated = std::chrono::steady_clock::now();
  p.solver = options.solver;
  if (p.solver == Solver::kAuto) {
    p.solver = optimizer.unlimited     ? Solver::kUnlimited
               : optimizer.milp_solver ? Solver::kMilp
                                       : Solver::kPrice;
  }
  p.table = offer_options(p.problem, optimizer, p.found.lines);
  p.selection = select(p.table, p.solver, optimizer, options);
  p.selection_s = seconds_since(evaluated);
  return p;
}

}  // namespace tonnage
