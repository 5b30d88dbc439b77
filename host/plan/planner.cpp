// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// make_plan() of tonnage/host/planner.hpp as a list of steps. Evaluation and selection are in
// planning.cpp, descriptions of servers in description.cpp, totals in summary.cpp, reasons for
// unserved servers in reasons.cpp.
#include "tonnage/host/planner.hpp"

#include <map>
#include <utility>

#include "host/base/parallel.hpp"
#include "host/plan/description.hpp"
#include "host/plan/planning.hpp"
#include "host/plan/reasons.hpp"
#include "host/plan/summary.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kServersPerChunk = 512;

bool is_allocated(const OptionTable& table, const Choice& choice) {
  if (choice.option < 0) return false;
  return choice.num_replicas > 0 || table.options[choice.option].num_replicas == 0;
}

// The servers with an allocation, an empty one included.
std::vector<std::int64_t> allocated_servers(const Planning& planning) {
  std::vector<std::int64_t> allocated;
  for (std::int64_t s = 0; s < planning.table.num_servers(); ++s) {
    if (is_allocated(planning.table, planning.selection.choices[s])) allocated.push_back(s);
  }
  return allocated;
}

// How many servers of each class are served whole, in part and not at all.
std::vector<PriorityOutcome> count_by_priority(const Planning& planning) {
  const OptionTable& table = planning.table;
  std::map<int, PriorityOutcome> groups;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    PriorityOutcome& group = groups[table.priority[s]];
    group.priority = table.priority[s];
    const Choice& choice = planning.selection.choices[s];
    if (!is_allocated(table, choice)) {
      ++group.unserved;
    } else if (choice.num_replicas == table.options[choice.option].num_replicas) {
      ++group.served;
    } else {
      ++group.partial;
    }
  }
  std::vector<PriorityOutcome> outcomes;
  for (const auto& [priority, group] : groups) outcomes.push_back(group);
  return outcomes;
}

UnallocatedServer unallocated_server(const System& system, const Planning& planning,
                                     std::int64_t server, const std::vector<std::int64_t>& left) {
  const Problem& problem = planning.problem;
  const OptionTable& table = planning.table;
  UnallocatedServer unserved;
  unserved.server = problem.server_names[server];
  unserved.priority = table.priority[server];
  if (problem.servers[server].load_kind == LoadKind::kUnplannable) {
    unserved.reason = problem.servers[server].reason;
    unserved.detail = server_detail(system, unserved.server, unserved.reason);
  } else if (table.first[server] == table.first[server + 1]) {
    unserved.reason = Reason::kNoCandidates;
    unserved.detail = no_candidates_detail(problem, planning.found.lines, server);
  } else {
    unserved.reason = Reason::kNoCapacity;
    unserved.detail = no_capacity_detail(planning, server, left);
  }
  return unserved;
}

// The servers without an allocation, each with its reason.
std::vector<UnallocatedServer> unallocated_servers(const System& system, const Planning& planning) {
  const std::vector<std::int64_t> left = left_by(planning.table, planning.selection.choices);
  std::vector<UnallocatedServer> unallocated;
  for (std::int64_t s = 0; s < planning.table.num_servers(); ++s) {
    if (is_allocated(planning.table, planning.selection.choices[s])) continue;
    unallocated.push_back(unallocated_server(system, planning, s, left));
  }
  return unallocated;
}

std::vector<PlannedServer> describe_choices(const System& system, const Planning& planning,
                                            const std::vector<std::int64_t>& allocated,
                                            const PlannerOptions& options) {
  std::vector<PlannedServer> described(allocated.size());
  const auto count = std::ssize(allocated);
  parallel_chunks(
      count, kServersPerChunk, options.num_threads,
      [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          described[i] =
              describe_choice(system, planning, planning.selection.choices[allocated[i]]);
        }
      },
      [&](std::int64_t done) {
        if (options.progress) options.progress("metrics", done, count);
      });
  return described;
}

}  // namespace

Plan make_plan(const System& system, const OptimizerSpec& optimizer,
               const PlannerOptions& options) {
  const Planning planning = run_planning(system, optimizer, options);
  const std::vector<std::int64_t> allocated = allocated_servers(planning);
  Plan plan;
  plan.unallocated = unallocated_servers(system, planning);
  plan.allocations = describe_choices(system, planning, allocated, options);
  summarize_run(planning, plan.summary);
  summarize_types(planning, plan.summary);
  summarize_priorities(planning, count_by_priority(planning), plan.summary);
  summarize_totals(planning, optimizer, allocated, plan);
  return plan;
}

}  // namespace tonnage
