// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of options: built from the answers of lines, put into its order, and asked for what an
// option takes of the resources.
#include <algorithm>

#include "host/options/undominated.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

std::int64_t cards_of(const Option& option) { return option.type < 0 ? 0 : option.cards(); }

}  // namespace

std::int64_t OptionTable::taken(const Option& option, std::int32_t resource) const {
  if (option.type == resource) return option.cards();
  for (const Use& use : uses_of(option)) {
    if (use.resource == resource) return use.whole;
  }
  return 0;
}

std::vector<OptionTable::Cards> OptionTable::cards_of(const Option& option) const {
  std::vector<Cards> cards;
  if (option.type >= 0) cards.push_back({option.type, option.cards()});
  for (const Use& use : uses_of(option)) {
    const bool is_type = static_cast<std::size_t>(use.resource) < capacity.size();
    if (is_type) cards.push_back({use.resource, use.whole});
  }
  return cards;
}

void sort_options(std::span<Option> options) {
  std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) {
    const double va = rounded_value(a.objective), vb = rounded_value(b.objective);
    if (va != vb) return va < vb;
    return a.mix != b.mix ? a.mix < b.mix : a.accelerator < b.accelerator;
  });
}

OptionTable build_options(const Problem& problem, const std::vector<LineOutcome>& outcomes) {
  OptionTable table;
  table.capacity = problem.type_capacity;
  table.first.reserve(problem.servers.size() + 1);
  table.first.push_back(0);
  table.priority.reserve(problem.servers.size());
  for (std::size_t s = 0; s < problem.servers.size(); ++s) {
    const ServerRow& server = problem.servers[s];
    const auto first = static_cast<std::ptrdiff_t>(table.options.size());
    for (std::int64_t i = problem.first_line[s]; i < problem.first_line[s + 1]; ++i) {
      const LineOutcome& outcome = outcomes[i];
      if (!outcome.feasible()) continue;
      const PerfRow& perf = problem.perfs[problem.lines[i].perf];
      const bool empty = outcome.num_replicas == 0;
      const double value = line_value(server, perf, outcome);
      table.options.push_back({value, value, line_cost(perf, outcome), outcome.num_replicas,
                               empty ? 0 : perf.cards_per_replica, i,
                               empty ? kNoAccelerator : perf.accelerator, empty ? -1 : perf.type});
      if (empty) break;
    }
    sort_options(std::span(table.options).subspan(static_cast<std::size_t>(first)));
    table.first.push_back(static_cast<std::int64_t>(table.options.size()));
    table.priority.push_back(server.priority);
  }
  return table;
}

std::vector<std::int64_t> undominated_options(const OptionTable& table, std::int64_t server) {
  std::vector<std::int64_t> order;
  for (std::int64_t o = table.first[server]; o < table.first[server + 1]; ++o) order.push_back(o);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const double va = table.options[a].objective, vb = table.options[b].objective;
    if (va != vb) return va < vb;
    const std::int64_t ca = cards_of(table.options[a]), cb = cards_of(table.options[b]);
    return ca != cb ? ca < cb : a < b;
  });
  std::vector<std::int64_t> kept;
  Undominated undominated;
  std::vector<Undominated::Taken> taken;
  for (const std::int64_t o : order) {
    const Option& option = table.options[o];
    taken.assign(1, {option.type, cards_of(option)});
    for (const Use& use : table.uses_of(option)) taken.push_back({use.resource, use.whole});
    if (undominated.keep(taken)) kept.push_back(o);
  }
  return kept;
}

}  // namespace tonnage
