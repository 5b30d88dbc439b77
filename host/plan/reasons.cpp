// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Texts of the reasons why pairs are no candidates and servers have no allocation.
#include "host/plan/reasons.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/printable.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

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
      return fmt::format("needs {}, maxNumReplicas is {}", counted(outcome.num_replicas, "replica"),
                         server.max_replicas);
    default:
      return std::string(describe(outcome.reason));
  }
}

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
                                     : " or on any other that the server may use");
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

std::string broken_limits(const Planning& planning, const Option& option, const Option* has,
                          const std::vector<std::int64_t>& left) {
  const OptionTable& table = planning.table;
  std::string text;
  for (std::size_t l = 0; l < planning.limits.size(); ++l) {
    const auto resource = static_cast<std::int32_t>(table.capacity.size() + l);
    const Limit& limit = planning.limits[l];
    const std::int64_t free = left[resource] + (has == nullptr ? 0 : table.taken(*has, resource));
    const std::int64_t wanted = table.taken(option, resource);
    if (wanted <= free) continue;
    text += fmt::format("{}{}{:.6g} of {} ({:.6g} left)", text.empty() ? "" : ", ",
                        wanted < kBeyondLimits ? "" : "more than ",
                        static_cast<double>(wanted) * limit.unit, limit.name(),
                        static_cast<double>(free) * limit.unit);
  }
  return text;
}

std::string no_capacity_detail(const Planning& planning, std::int64_t s,
                               const std::vector<std::int64_t>& left) {
  const Option& best = planning.table.options[planning.table.first[s]];
  const std::string name =
      best.num_replicas == 0 ? "the empty allocation" : option_name(planning, best);
  const std::string limits = broken_limits(planning, best, nullptr, left);
  std::string lack;
  for (const auto& [type, cards] : planning.table.cards_of(best)) {
    if (cards <= left[type]) continue;
    lack += fmt::format(", needs {} of type {} ({} left)", counted(cards, "card"),
                        planning.problem.type_names[type], std::max<std::int64_t>(0, left[type]));
  }
  if (lack.empty() && !limits.empty()) {
    return fmt::format("a limit of the plan: the best option, {}, needs {}", name, limits);
  }
  std::string text =
      fmt::format("{}: the best option, {}{}", describe(Reason::kNoCapacity), name, lack);
  if (!limits.empty()) text += fmt::format(", and {}", limits);
  return text;
}

}  // namespace tonnage
