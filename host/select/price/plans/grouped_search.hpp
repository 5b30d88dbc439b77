// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Grouped search: better plans around a given one, by branch and cut over the numbers of
// interchangeable servers that make each move. Owns: which servers are interchangeable, and the
// integer program of their moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

struct GroupedLimits {
  double max_reduced_cost = 0;  // moves that cost more at the prices are left out
  double tie = 0;               // costs that differ by less count as equal; above 0
  double absolute_gap = 0;      // the search may stop so far from the best
  std::size_t per_kind = 0;     // moves of one effect that are not ties
  std::size_t max_moves = 0;    // and so many in all
  std::int64_t work = 0;        // as ExactLimits counts it
  // Penalty factor on excess, as a multiple of prices; above 0 an infeasible plan may improve
  // towards feasibility.
  double excess = 0;
};

struct GroupedResult {
  bool better = false;    // for a plan that did not hold: it does now or comes closer
  bool finished = false;  // nothing better is left among these moves
  std::int64_t work = 0;  // what the search took of the limit
};

// One grouped search. Servers with interchangeable options (about equal cost, equal cards) form
// groups, and an integer program chooses how many of each group make each move. It finds
// combinations of dozens of moves, which exchanges of a few never find, e.g. to use the last card.
// Replaces `assignment` by a better plan; if `assignment` is infeasible, by the first plan that is
// feasible or closer to it. Needs has_exact_solver().
GroupedResult search_grouped(const Table& table, const Stage& stage, const Prices& prices,
                             const GroupedLimits& limits, Assignment& assignment);

// The goal of a series of searches, in the unit of the stage.
struct GroupedGoal {
  double bound = 0;  // no plan is below this
  double near = 0;   // a plan so far above it is good enough
  double slack = 0;  // about how far a plan may come out above it
  int patience = 1;  // searches in a row that may gain little
  // Penalty factor on excess in the first search of a growing series, as a multiple of prices;
  // above 0 an infeasible plan approaches feasibility step by step.
  double excess = 0;
  std::int64_t work = std::numeric_limits<std::int64_t>::max();  // at most, out of the budget
};

// Grouped searches of growing size with one work budget, so that equal inputs give equal plans.
class GroupedSearches {
 public:
  // `work`: budget of all searches; `one`: limit of one, both as ExactLimits counts. `unit`:
  // typical difference between the choices of a server, in the unit of the stage.
  GroupedSearches(std::int64_t work, std::int64_t one, double unit)
      : work_(work), one_(one), unit_(unit) {}

  // Calls search_grouped() until the goal is reached, nothing improves or the budget is spent.
  // `prices` are those of the stage. Does nothing in a build without an exact solver.
  void settle(const Table& table, const Stage& stage, const Prices& prices, const GroupedGoal& goal,
              Assignment& assignment);

  [[nodiscard]] bool is_spent() const { return work_ <= 0; }
  // The remaining budget; negative if the last search exceeded it.
  [[nodiscard]] std::int64_t left() const { return work_; }
  void spend(std::int64_t work) { work_ -= work; }

 private:
  std::int64_t work_, one_;
  double unit_;
};

}  // namespace tonnage::price
