// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The flat table of the price solver: options in order of class, without dominated ones. Owns:
// which servers take part, class ranks, the dominance rule, the stages of the
// lexicographic order and their prices.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tonnage/host/selection.hpp"

namespace tonnage::price {

// Servers per piece of work. Sums are formed per chunk, then in chunk order, so that they do not
// depend on the number of threads.
inline constexpr std::int64_t kChunk = 2048;

// More servers than this are a large fleet: every pass over it takes long, and one server is a
// small part of it.
inline constexpr std::int64_t kLarge = 100000;

// No resource has more than this: sums over a fleet stay exact in int64 and in float64.
inline constexpr std::int64_t kMaxCapacity = 1'000'000'000'000;

// Further uses of an option beyond its first resource; the uses of an option are adjacent.
struct FlatUse {
  double amount;
  std::int32_t resource;
  bool last;
};

// Takes `cards` of one resource, a type of cards unless it needs none.
struct FlatOption {
  static constexpr std::int32_t kNoUses = -1;

  double value;  // what selection minimises
  double cards;
  std::int32_t type;            // Table::num_resources for an option that needs nothing
  std::int32_t uses = kNoUses;  // first of its further uses in Table::uses

  [[nodiscard]] std::int64_t whole_cards() const noexcept {
    return static_cast<std::int64_t>(cards);
  }
};

// Only servers with an option that fits an empty fleet, ordered by class, then as in the
// OptionTable. The options of a server ascend in value; none exceeds a capacity, and none is
// dominated. Resources are types of cards, then limits.
struct Table {
  std::vector<FlatOption> options;
  std::vector<FlatUse> uses;
  std::vector<std::int64_t> source;         // [options] index into OptionTable::options
  std::vector<std::int64_t> first;          // [servers + 1]
  std::vector<std::int64_t> source_server;  // [servers] index into OptionTable
  std::vector<std::int32_t> class_of;       // [servers] class rank
  std::vector<std::int64_t> first_server;   // [classes + 1]
  std::vector<std::int32_t> priority;       // [classes] ascending
  std::vector<std::int64_t> hopeless;       // [classes] servers whose options all exceed capacity
  std::vector<std::int64_t> capacity;       // [resources + 1], the last one boundless
  std::int32_t num_resources = 0;
  std::int32_t num_types = 0;  // the first of the resources

  [[nodiscard]] std::int64_t num_servers() const noexcept {
    return static_cast<std::int64_t>(source_server.size());
  }
  [[nodiscard]] std::int32_t num_classes() const noexcept {
    return static_cast<std::int32_t>(priority.size());
  }
  [[nodiscard]] std::int64_t servers_of(std::int32_t rank) const {
    return first_server[rank + 1] - first_server[rank];
  }
  [[nodiscard]] std::span<const FlatOption> options_of(std::int64_t server) const {
    return {options.data() + first[server],
            static_cast<std::size_t>(first[server + 1] - first[server])};
  }
  // Calls body(resource, amount) for everything an option takes.
  template <class Body>
  void for_uses(const FlatOption& option, const Body& body) const {
    body(option.type, option.cards);
    if (option.uses == FlatOption::kNoUses) return;
    for (const FlatUse* use = &uses[option.uses];; ++use) {
      body(use->resource, use->amount);
      if (use->last) return;
    }
  }
  // What an option costs: its value weighted, and everything it takes at these prices.
  [[nodiscard]] double cost_of(const FlatOption& option, double value_weight,
                               const std::vector<double>& prices) const {
    double cost = value_weight * option.value + option.cards * prices[option.type];
    if (option.uses == FlatOption::kNoUses) return cost;
    for (const FlatUse* use = &uses[option.uses];; ++use) {
      cost += use->amount * prices[use->resource];
      if (use->last) return cost;
    }
  }
  // What an option takes of a resource.
  [[nodiscard]] std::int64_t taken(const FlatOption& option, std::int32_t resource) const {
    std::int64_t amount = 0;
    for_uses(option, [&](std::int32_t r, double a) {
      if (r == resource) amount = static_cast<std::int64_t>(a);
    });
    return amount;
  }
};

[[nodiscard]] Table flatten(const OptionTable& table);

// The table with perturbed values: up to `size` is added to each, evenly spread, so that ties are
// broken and prices alone decide for most servers. Every `seed` gives another
// perturbation.
[[nodiscard]] Table perturbed(const Table& table, double size, std::uint64_t seed);

// What one stage minimises over the servers of the first `num_classes` classes:
//   value_weight * (sum of values of the options taken) + sum over unserved of skip_cost[class],
// with at most may_skip[class] unserved servers in each class.
struct Stage {
  std::int32_t num_classes = 0;
  double value_weight = 1;
  std::vector<double> skip_cost;       // [num_classes]
  std::vector<std::int64_t> may_skip;  // [num_classes]; kNoLimit: any number
  // [num_classes] Subtracted from may_skip in the search for prices, so that plans made from them
  // have some room. Bounds found with a reserve do not hold without it. Empty: none.
  std::vector<double> reserve;

  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] double allowance(std::int32_t rank) const {
    return static_cast<double>(may_skip[rank]) - (reserve.empty() ? 0 : reserve[rank]);
  }
  [[nodiscard]] bool is_forced(std::int32_t rank) const { return may_skip[rank] == 0; }
  [[nodiscard]] bool is_priced(std::int32_t rank) const {
    return may_skip[rank] != 0 && may_skip[rank] != kNoLimit;
  }
};

// Lagrange multipliers of the relaxed constraints. A server without an option pays `skip` of its
// class: skip_cost plus the price of the class, or infinity if all must be served.
struct Prices {
  std::vector<double> resource;  // [resources + 1] per card or unit, >= 0; the last is 0
  std::vector<double> skip;      // [classes]
};

}  // namespace tonnage::price
