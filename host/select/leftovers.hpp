// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Best effort: how servers without a whole allocation share the remaining cards. Owns: the
// saturation policies, which all solvers use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tonnage/host/selection.hpp"

namespace tonnage {

// The free amount of each resource while servers are served.
class FreeCards {
 public:
  explicit FreeCards(const OptionTable& table) : table_(&table), free_(table.capacity) {
    free_.insert(free_.end(), table.limits.begin(), table.limits.end());
  }

  [[nodiscard]] bool fits_whole(const Option& o) const {
    if (o.type >= 0 && o.num_replicas > free_[o.type] / o.cards_per_replica) return false;
    const auto uses = table_->uses_of(o);
    return std::all_of(uses.begin(), uses.end(),
                       [&](const Use& use) { return use.whole <= free_[use.resource]; });
  }
  void take_whole(const Option& o) {
    if (o.type >= 0) free_[o.type] -= o.cards();
    for (const Use& use : table_->uses_of(o)) free_[use.resource] -= use.whole;
  }

  // The most replicas of an option that fit, at most those it needs.
  [[nodiscard]] std::int64_t replicas_that_fit(const Option& o) const {
    if (fits_whole(o)) return o.num_replicas;
    std::int64_t most = o.num_replicas - 1;
    if (o.type >= 0) most = std::min(most, free_[o.type] / o.cards_per_replica);
    for (const Use& use : table_->uses_of(o)) {
      const std::int64_t left = free_[use.resource] - use.fixed;
      if (left < 0) return 0;
      if (use.per_replica > 0) most = std::min(most, left / use.per_replica);
    }
    return std::max<std::int64_t>(0, most);
  }
  // Whether a server with `has` replicas of an option may get `more`.
  [[nodiscard]] bool fits_more(const Option& o, std::int64_t has, std::int64_t more) const {
    if (o.type >= 0 && more > free_[o.type] / o.cards_per_replica) return false;
    const auto uses = table_->uses_of(o);
    return std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
      return use.of(has + more, o.num_replicas) - use.of(has, o.num_replicas) <=
             free_[use.resource];
    });
  }
  void take_more(const Option& o, std::int64_t has, std::int64_t more) {
    if (o.type >= 0) free_[o.type] -= more * o.cards_per_replica;
    for (const Use& use : table_->uses_of(o)) {
      free_[use.resource] -= use.of(has + more, o.num_replicas) - use.of(has, o.num_replicas);
    }
  }

  [[nodiscard]] std::int64_t free(std::int32_t resource) const { return free_[resource]; }
  [[nodiscard]] std::int32_t num_resources() const {
    return static_cast<std::int32_t>(free_.size());
  }

 private:
  const OptionTable* table_;
  std::vector<std::int64_t> free_;  // [resources]
};

// Shares `cards` among the servers `leftovers`, which have no whole allocation. They must be
// ascending in priority; within a class they are served in the given order.
void share_leftovers(const OptionTable& table, const std::vector<std::int64_t>& leftovers,
                     SaturationPolicy policy, FreeCards& cards, std::vector<Choice>& choices);

// Shares the cards among all servers that have options but no choice, by priority, then index:
// class by class, or together if best effort is delayed.
void share_among_unserved(const OptionTable& table, SaturationPolicy policy, bool delayed,
                          FreeCards& cards, std::vector<Choice>& choices);

}  // namespace tonnage
