// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The published selection: unlimited, and greedy with regret order. Best effort on the leftovers is
// in leftovers.cpp.
#include <algorithm>
#include <limits>
#include <queue>

#include "host/select/leftovers.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {
namespace {

// A waiting server with its present option. The greatest is served first.
struct Waiting {
  double regret;     // rounded; infinite on the last option
  double objective;  // rounded
  std::int64_t server;
  std::int64_t option;

  friend bool operator<(const Waiting& a, const Waiting& b) {
    if (a.regret != b.regret) return a.regret < b.regret;
    if (a.objective != b.objective) return a.objective < b.objective;
    return a.server > b.server;
  }
};

Waiting wait_for(const OptionTable& table, std::int64_t server, std::int64_t option) {
  const double objective = table.options[option].objective;
  const double regret = option + 1 < table.first[server + 1]
                            ? rounded_value(table.options[option + 1].objective - objective)
                            : std::numeric_limits<double>::infinity();
  return {regret, rounded_value(objective), server, option};
}

}  // namespace

std::vector<Choice> select_unlimited(const OptionTable& table) {
  std::vector<Choice> choices(static_cast<std::size_t>(table.num_servers()));
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    if (table.first[s] == table.first[s + 1]) continue;
    choices[s] = {table.first[s], table.options[table.first[s]].num_replicas};
  }
  return choices;
}

std::vector<Choice> select_greedy(const OptionTable& table, SaturationPolicy policy,
                                  bool delayed_best_effort) {
  std::vector<Choice> choices(static_cast<std::size_t>(table.num_servers()));
  std::vector<std::int64_t> order;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    if (table.first[s] < table.first[s + 1]) order.push_back(s);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return table.priority[a] < table.priority[b];
  });

  FreeCards cards(table);
  std::vector<std::int64_t> leftovers;
  for (auto group = order.begin(); group != order.end();) {
    const int priority = table.priority[*group];
    std::priority_queue<Waiting> waiting;
    for (; group != order.end() && table.priority[*group] == priority; ++group) {
      waiting.push(wait_for(table, *group, table.first[*group]));
    }
    while (!waiting.empty()) {
      const Waiting next = waiting.top();
      waiting.pop();
      const Option& option = table.options[next.option];
      if (cards.fits_whole(option)) {
        cards.take_whole(option);
        choices[next.server] = {next.option, option.num_replicas};
      } else if (next.option + 1 < table.first[next.server + 1]) {
        waiting.push(wait_for(table, next.server, next.option + 1));
      } else {
        leftovers.push_back(next.server);
      }
    }
    if (!delayed_best_effort) {
      share_leftovers(table, leftovers, policy, cards, choices);
      leftovers.clear();
    }
  }
  share_leftovers(table, leftovers, policy, cards, choices);
  return choices;
}

}  // namespace tonnage
