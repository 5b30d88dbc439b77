// Grouped search: better plans around a given one, by branch and cut over the numbers of
// interchangeable players that make each move. Owns: which players are interchangeable, and the
// integer program of their moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

struct AlikeLimits {
  double max_rise = 0;        // moves that cost more at the prices are left out
  double tie = 0;             // costs that differ by less count as equal; above 0
  double absolute_gap = 0;    // the search may stop so far from the best
  std::size_t per_kind = 0;   // moves of one effect that are not ties
  std::size_t max_moves = 0;  // and so many in all
  std::int64_t work = 0;      // as ExactLimits counts it
  // Above 0: a plan that does not hold may become one that comes closer; what it lacks counts so
  // many times its price.
  double excess = 0;
};

struct AlikeResult {
  bool better = false;    // for a plan that did not hold: it does now or comes closer
  bool finished = false;  // nothing better is left among these moves
  std::int64_t work = 0;  // what the search took of the limit
};

// Players whose options of about the same cost take the same cards stand for each other, so that an
// exact search chooses numbers of players: where cards must come out even to the last one, that
// takes combinations of dozens of moves, which exchanges of a few never find. A better plan
// replaces `packing`, or the first one that holds or comes closer if that takes more than there is
// or falls short of the levels of the stage. Needs has_exact_solver().
AlikeResult move_alike(const Table& table, const Stage& stage, const Prices& prices,
                       const AlikeLimits& limits, Packing& packing);

// What searches are to reach, in the unit of the stage.
struct AlikeGoal {
  double bound = 0;  // no plan is below this
  double near = 0;   // a plan so far above it is good enough
  double slack = 0;  // about how far a plan may come out above it
  int patience = 1;  // searches in a row that may gain little
  // Above 0: a plan that does not hold comes closer step by step; what it lacks counts so many
  // times its price in the first of the searches that grow.
  double excess = 0;
  std::int64_t work = std::numeric_limits<std::int64_t>::max();  // at most, out of the budget
};

// Searches of growing size out of one budget of work, so that the same input has the same plan.
class AlikeSearches {
 public:
  // `work`: of all searches, `one`: of one of them, as ExactLimits counts it. `unit`: what a
  // player's choices differ by, in the unit of the stage.
  AlikeSearches(std::int64_t work, std::int64_t one, double unit)
      : work_(work), one_(one), unit_(unit) {}

  // Calls move_alike() until the goal is reached, nothing is gained any more or the budget is
  // spent. `prices` are those of the stage. Does nothing in a build without an exact solver.
  void settle(const Table& table, const Stage& stage, const Prices& prices, const AlikeGoal& goal,
              Packing& packing);

  [[nodiscard]] bool is_spent() const { return work_ <= 0; }
  // What is left of the budget; below 0 where the last search took more.
  [[nodiscard]] std::int64_t left() const { return work_; }
  void spend(std::int64_t work) { work_ -= work; }

 private:
  std::int64_t work_, one_;
  double unit_;
};

}  // namespace tonnage::price
