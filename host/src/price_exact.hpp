// A stage solved exactly where the prices leave few enough options open. Owns: the rule by which
// the distance between plan and bound rules options out, and the model of what remains.
#pragma once

#include <cstdint>

#include "price_packing.hpp"

namespace tonnage::price {

// How far a stage is proven. Both in units of the stage: unserved players or value.
struct Proof {
  double objective = 0;
  double bound = 0;
  bool from_prices = true;  // the bound is that of the prices
};

// Solves what the prices leave open of the stage if that is at most `max_options` options. Keeps
// the better plan in `packing` and raises the bound of `proof` as far as the search got.
// `counts` tells the stage of unserved players from that of value.
void solve_rest(const Table& table, const Stage& stage, const Prices& prices, bool counts,
                std::size_t max_options, std::int64_t max_nodes, Packing& packing, Proof& proof);

}  // namespace tonnage::price
