// Best effort: what becomes of the cards that whole allocations leave over. Owns: the saturation
// policies, shared by all solvers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tonnage/host/selection.hpp"

namespace tonnage {

// What is left of each resource while servers are being served.
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

  // The most replicas of an option that fit, at most those it asks for.
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
  // Whether a server that has some replicas of an option, or none, may have `more`.
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

// Shares `cards` among the servers `leftovers`, for which no whole allocation fits. They must be
// ascending in priority; within a class they are served in the order given.
void share_leftovers(const OptionTable& table, const std::vector<std::int64_t>& leftovers,
                     SaturationPolicy policy, FreeCards& cards, std::vector<Choice>& choices);

// The same for all servers with options and without a choice, by priority, then index: class by
// class, or all of them together where best effort is delayed.
void share_among_unserved(const OptionTable& table, SaturationPolicy policy, bool delayed,
                          FreeCards& cards, std::vector<Choice>& choices);

}  // namespace tonnage
