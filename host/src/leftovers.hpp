// Best effort: what becomes of the cards that whole allocations leave over. Owns: the saturation
// policies, shared by all solvers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tonnage/host/selection.hpp"

namespace tonnage {

// Cards left of each type while servers are being served.
class FreeCards {
 public:
  explicit FreeCards(const std::vector<std::int64_t>& capacity) : free_(capacity) {}

  [[nodiscard]] std::int64_t replicas_that_fit(const Option& o) const {
    if (o.type < 0) return o.num_replicas;
    return std::min(o.num_replicas, free_[o.type] / o.cards_per_replica);
  }
  [[nodiscard]] bool fits_whole(const Option& o) const {
    return replicas_that_fit(o) == o.num_replicas;
  }
  void take(const Option& o, std::int64_t replicas) {
    if (o.type >= 0) free_[o.type] -= replicas * o.cards_per_replica;
  }

 private:
  std::vector<std::int64_t> free_;
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
