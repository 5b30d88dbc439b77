// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Option tables for tests of selections: random ones, and those of generated fleets. Owns: what a
// selection achieves (Outcome), which of two is worse, and the best of all by brute force.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "tonnage/core/system.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"
#include "tonnage/host/milp_selection.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

inline OptionTable random_table(std::mt19937_64& engine, std::int64_t servers, std::int32_t types,
                                std::int64_t most_capacity) {
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  OptionTable t;
  for (std::int32_t k = 0; k < types; ++k) t.capacity.push_back(whole(0, most_capacity));
  t.first.push_back(0);
  for (std::int64_t s = 0; s < servers; ++s) {
    const std::int64_t count = whole(0, 3);
    double value = static_cast<double>(whole(-20, 20));
    if (whole(0, 15) == 0) t.options.push_back({value, value, 0, 0, 0, 0, -1, -1});  // no cards
    for (std::int64_t i = 0; i < count; ++i) {
      const auto type = static_cast<std::int32_t>(whole(0, types - 1));
      t.options.push_back({value, value, 10, whole(1, 3), 1, i, type, type});
      value += static_cast<double>(whole(0, 9));
    }
    t.first.push_back(static_cast<std::int64_t>(t.options.size()));
    t.priority.push_back(static_cast<std::int32_t>(whole(1, 2)));
  }
  return t;
}

// The same with options that take more than cards of one type: of another type, or of one or two
// limits.
inline OptionTable with_uses(std::mt19937_64& engine, OptionTable t) {
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  const auto types = static_cast<std::int32_t>(t.capacity.size());
  const std::int64_t limits = whole(0, 2);
  for (std::int64_t i = 0; i < limits; ++i) {
    t.limits.push_back(whole(0, 1) == 0 ? whole(0, t.num_servers())
                                        : whole(0, 4000 * t.num_servers()));
  }
  for (Option& o : t.options) {
    o.first_use = std::ssize(t.uses);
    if (types > 1 && o.type >= 0 && whole(0, 3) == 0) {
      const std::int32_t other = (o.type + 1) % types;
      t.uses.push_back({other, whole(1, 2), 1000, 0});
    }
    for (std::int32_t l = 0; l < limits; ++l) {
      const std::int64_t most = t.limits[l] <= t.num_servers() ? 1 : 5000;
      t.uses.push_back({types + l, whole(0, most), whole(0, 1), whole(0, most)});
    }
    o.num_uses = static_cast<std::int32_t>(std::ssize(t.uses) - o.first_use);
  }
  return t;
}

// Everything a table has.
inline std::vector<std::int64_t> resources_of(const OptionTable& t) {
  std::vector<std::int64_t> all = t.capacity;
  all.insert(all.end(), t.limits.begin(), t.limits.end());
  return all;
}

void take(const OptionTable& t, const Choice& choice, std::int64_t sign,
          std::vector<std::int64_t>& left) {
  const Option& o = t.options[choice.option];
  if (o.type >= 0) left[o.type] -= sign * choice.num_replicas * o.cards_per_replica;
  for (std::int64_t u = o.first_use; u < o.first_use + o.num_uses; ++u) {
    const Use& use = t.uses[u];
    std::int64_t amount = use.whole;
    if (choice.num_replicas < o.num_replicas) {
      amount = choice.num_replicas > 0 ? use.fixed + choice.num_replicas * use.per_replica : 0;
    }
    left[use.resource] -= sign * amount;
  }
}

struct Outcome {
  std::map<std::int32_t, std::int64_t> unserved;  // by priority, of servers with options
  double value = 0;
};

inline Outcome outcome_of(const OptionTable& t, const std::vector<Choice>& choices) {
  Outcome o;
  std::vector<std::int64_t> left = resources_of(t);
  for (std::int64_t s = 0; s < t.num_servers(); ++s) {
    if (t.first[s] == t.first[s + 1]) continue;
    const Choice& c = choices[s];
    if (c.option >= 0) take(t, c, 1, left);
    std::int64_t& unserved = o.unserved[t.priority[s]];
    if (c.option < 0 || c.num_replicas < t.options[c.option].num_replicas) {
      ++unserved;
      continue;
    }
    const Option& option = t.options[c.option];
    o.value += option.objective;
  }
  for (const std::int64_t l : left) EXPECT_GE(l, 0) << "more taken than there is";
  return o;
}

inline bool worse(const Outcome& a, const Outcome& b) {
  for (const auto& [priority, unserved] : b.unserved) {
    const std::int64_t mine = a.unserved.at(priority);
    if (mine != unserved) return mine > unserved;
  }
  return a.value > b.value + 1e-6;
}

inline Outcome by_brute_force(const OptionTable& t) {
  Outcome best;
  bool any = false;
  std::vector<Choice> choices(static_cast<std::size_t>(t.num_servers()));
  std::vector<std::int64_t> left = resources_of(t);
  const std::function<void(std::int64_t)> visit = [&](std::int64_t s) {
    if (s == t.num_servers()) {
      const Outcome o = outcome_of(t, choices);
      if (!any || worse(best, o)) best = o;
      any = true;
      return;
    }
    choices[s] = {};
    visit(s + 1);
    for (std::int64_t i = t.first[s]; i < t.first[s + 1]; ++i) {
      const Option& option = t.options[i];
      choices[s] = {i, option.num_replicas};
      take(t, choices[s], 1, left);
      if (*std::min_element(left.begin(), left.end()) >= 0) visit(s + 1);
      take(t, choices[s], -1, left);
    }
    choices[s] = {};
  };
  visit(0);
  return best;
}

}  // namespace tonnage
