// Small exact problems: some players chosen anew while the others stay. Owns: who is worth
// choosing anew, and the model handed to the exact solver.
#pragma once

#include <cstdint>
#include <vector>

#include "price_packing.hpp"

namespace tonnage::price {

struct CoreLimits {
  std::size_t max_items = 0;  // players that choose among all their options
  std::int64_t max_nodes = 0;
  double max_regret = 0;  // changes that cost more than this at the prices are left out
};

// Chooses anew for players near a tie at the prices and for those that are not where the prices
// would have them; each `round` draws others. Going without costs a player of class k skip_cost[k]
// in units of the stage. Keeps the better plan; returns whether it is a new one.
bool improve_core(const Table& table, const Stage& stage, const Prices& prices,
                  const CoreLimits& limits, const std::vector<double>& skip_cost, int round,
                  Packing& packing);

}  // namespace tonnage::price
