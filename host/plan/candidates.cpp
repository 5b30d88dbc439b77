// Lists (server, accelerator) pairs with their allocations, or the reasons why they have none:
// list_candidates() of tonnage/host/planner.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "host/base/parallel.hpp"
#include "host/plan/planning.hpp"
#include "host/plan/reasons.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kPairsPerChunk = 512;

}  // namespace

std::vector<Candidate> list_candidates(const System& system, const CandidateQuery& query,
                                       const PlannerOptions& options) {
  if (!query.server.empty() && system.find_server(query.server) == nullptr) {
    throw Error(ErrorCode::kNotFound, fmt::format("server \"{}\" is unknown", query.server));
  }
  if (!query.accelerator.empty() && system.find_accelerator(query.accelerator) == nullptr) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("accelerator \"{}\" is unknown", query.accelerator));
  }
  Problem problem = build_rows(system, options.num_threads);
  // Every pair in name order with its line, or -1 where none exists.
  struct Pair {
    std::int64_t server;
    std::int32_t accelerator;
    std::int64_t line;
  };
  std::vector<Pair> pairs;
  std::vector<LineRow> asked;
  std::vector<std::int64_t> first_asked{0};
  for (std::int64_t s = 0; s < static_cast<std::int64_t>(problem.servers.size()); ++s) {
    const bool wanted_server = query.server.empty() || problem.server_names[s] == query.server;
    std::int64_t line = problem.first_line[s];
    const std::int64_t end = problem.first_line[s + 1];
    for (std::int32_t a = 0;
         wanted_server && a < static_cast<std::int32_t>(problem.accelerators.size()); ++a) {
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
    first_asked.push_back(std::ssize(asked));
  }
  problem.first_line = std::move(first_asked);
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
  if (query.undominated) {
    std::vector<bool> keep(outcomes.size(), false);
    const OptionTable table = build_options(problem, outcomes);
    for (std::int64_t s = 0; s < table.num_servers(); ++s) {
      for (const std::int64_t o : undominated_options(table, s)) keep[table.options[o].line] = true;
    }
    std::erase_if(pairs, [&](const Pair& p) {
      return p.line >= 0 && outcomes[p.line].feasible() && !keep[p.line];
    });
  }

  std::vector<Candidate> candidates(pairs.size());
  parallel_chunks(
      static_cast<std::int64_t>(pairs.size()), kPairsPerChunk, options.num_threads,
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
            const bool kept =
                server.keeps_accelerator && server.current_accelerator != pair.accelerator;
            outcome.reason = kept ? Reason::kKeptElsewhere
                             : system.find_server(c.server)->excludes(system, c.accelerator)
                                 ? Reason::kExcluded
                                 : Reason::kNoPerfData;
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
          c.metrics =
              allocation_metrics(server, perf, problem.accelerators[pair.accelerator], outcome);
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
