// Better plans around a given one, found by branch and cut over how many of the players that are
// alike do what. Owns: which players are alike, and the integer program of their moves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "price_packing.hpp"

namespace tonnage::price {

struct AlikeLimits {
  double max_rise = 0;         // moves that cost more at the prices are left out
  double tie = 0;              // costs that differ by less count as equal; above 0
  double absolute_gap = 0;     // the search may stop so far from the best
  std::size_t per_kind = 0;    // moves of one effect that are not ties
  std::size_t max_moves = 0;   // and so many in all
  std::int64_t work = 0;       // nodes of the search times columns
};

struct AlikeResult {
  bool better = false;
  bool finished = false;   // nothing better is left among these moves
  std::int64_t work = 0;   // what the search took of the limit
};

// Players whose options of about the same cost take the same cards stand for each other, so that an
// exact search chooses numbers of players: where cards must come out even to the last one, that
// takes combinations of dozens of moves, which exchanges of a few never find. `packing` is feasible
// and holds the levels of the stage; a better plan replaces it. Needs has_exact_solver().
AlikeResult move_alike(const Table& table, const Stage& stage, const Prices& prices,
                       const AlikeLimits& limits, Packing& packing);

}  // namespace tonnage::price
