// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Lists (server, accelerator) pairs with their allocations, or the reasons why they have none:
// list_candidates() of tonnage/host/planner.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/base/parallel.hpp"
#include "host/plan/description.hpp"
#include "host/plan/planning.hpp"
#include "host/plan/reasons.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kPairsPerChunk = 512;

// A (server, accelerator) pair that the query asks for.
struct Pair {
  std::int64_t server;
  std::int32_t accelerator;
  std::int64_t line;  // index into Problem::lines; -1: the pair has none
};

void require_known(const System& system, const CandidateQuery& query) {
  if (!query.server.empty() && system.find_server(query.server) == nullptr) {
    throw Error(ErrorCode::kNotFound, fmt::format("server \"{}\" is unknown", query.server));
  }
  if (!query.accelerator.empty() && system.find_accelerator(query.accelerator) == nullptr) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("accelerator \"{}\" is unknown", query.accelerator));
  }
}

// The pairs asked for, by server, then accelerator. Leaves only their lines in the problem.
std::vector<Pair> narrow(const CandidateQuery& query, Problem& problem) {
  std::vector<Pair> pairs;
  std::vector<LineRow> asked;
  std::vector<std::int64_t> first_asked{0};
  const auto num_accelerators = static_cast<std::int32_t>(problem.accelerators.size());
  for (std::int64_t s = 0; s < std::ssize(problem.servers); ++s) {
    const bool wanted_server = query.server.empty() || problem.server_names[s] == query.server;
    std::int64_t line = problem.first_line[s];
    const std::int64_t end = problem.first_line[s + 1];
    for (std::int32_t a = 0; wanted_server && a < num_accelerators; ++a) {
      const bool has_line = line < end && problem.perfs[problem.lines[line].perf].accelerator == a;
      const bool wanted =
          query.accelerator.empty() || problem.accelerators[a].name() == query.accelerator;
      if (wanted && has_line) {
        pairs.push_back({s, a, std::ssize(asked)});
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
  return pairs;
}

// Leaves the pairs that the query wants shown, now that their answers are known. The empty
// allocation is the same on every accelerator: it is shown once per server.
void keep_wanted(const CandidateQuery& query, const Problem& problem,
                 const std::vector<LineOutcome>& outcomes, std::vector<Pair>& pairs) {
  std::erase_if(pairs, [&, last = std::int64_t{-1}](const Pair& p) mutable {
    if (p.line < 0) return false;
    const LineOutcome& outcome = outcomes[p.line];
    if (!outcome.feasible()) return !query.infeasible;
    if (outcome.num_replicas > 0) return false;
    const bool repeated = last == p.server;
    last = p.server;
    return repeated;
  });
  if (!query.undominated) return;
  std::vector<bool> keep(outcomes.size(), false);
  const OptionTable table = build_options(problem, outcomes);
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    for (const std::int64_t o : undominated_options(table, s)) keep[table.options[o].line] = true;
  }
  std::erase_if(pairs, [&](const Pair& p) {
    return p.line >= 0 && outcomes[p.line].feasible() && !keep[p.line];
  });
}

// Why a pair without a line has none.
Reason reason_without_line(const System& system, const Problem& problem, const Pair& pair) {
  const ServerRow& server = problem.servers[pair.server];
  if (server.load_kind == LoadKind::kUnplannable) return server.reason;
  if (server.keeps_accelerator && server.current_accelerator != pair.accelerator) {
    return Reason::kKeptElsewhere;
  }
  const Server& named = *system.find_server(problem.server_names[pair.server]);
  return named.excludes(system, problem.accelerators[pair.accelerator].name())
             ? Reason::kExcluded
             : Reason::kNoPerfData;
}

Candidate describe_pair(const System& system, const Problem& problem,
                        const std::vector<LineOutcome>& outcomes, const Pair& pair) {
  const ServerRow& server = problem.servers[pair.server];
  Candidate c;
  c.server = problem.server_names[pair.server];
  c.accelerator = problem.accelerators[pair.accelerator].name();
  c.allocation.load = system.find_server(c.server)->load();
  LineOutcome outcome;
  if (pair.line >= 0) {
    outcome = outcomes[pair.line];
  } else {
    outcome.reason = reason_without_line(system, problem, pair);
  }
  c.reason = outcome.reason;
  if (!outcome.feasible()) {
    c.detail = server.load_kind == LoadKind::kUnplannable
                   ? server_detail(system, c.server, outcome.reason)
                   : pair_detail(server, outcome);
    return c;
  }
  const LineRow& line = problem.lines[pair.line];
  c.value = line_value(server, problem.perfs[line.perf], outcome);
  if (outcome.num_replicas == 0) {
    c.accelerator.clear();
  } else {
    describe_line(problem, line, outcome, c);
  }
  return c;
}

}  // namespace

std::vector<Candidate> list_candidates(const System& system, const CandidateQuery& query,
                                       const PlannerOptions& options) {
  require_known(system, query);
  Problem problem = build_rows(system, options.num_threads);
  std::vector<Pair> pairs = narrow(query, problem);
  const std::vector<LineOutcome> outcomes =
      select_backend(options.backend, std::ssize(problem.lines))
          ->search(problem, search_options(options))
          .lines;
  keep_wanted(query, problem, outcomes, pairs);
  std::vector<Candidate> candidates(pairs.size());
  parallel_chunks(std::ssize(pairs), kPairsPerChunk, options.num_threads,
                  [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t i = first; i < last; ++i) {
                      candidates[i] = describe_pair(system, problem, outcomes, pairs[i]);
                    }
                  });
  return candidates;
}

}  // namespace tonnage
