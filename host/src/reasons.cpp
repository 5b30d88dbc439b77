#include "reasons.hpp"

#include <fmt/format.h>

#include <algorithm>

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
      return fmt::format("needs {} replicas, maxNumReplicas is {}", outcome.num_replicas,
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

}  // namespace tonnage
