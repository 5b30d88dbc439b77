// Branch and bound by prices, on players whose choice prices leave undecided between two options,
// or between one and going without. Owns: the tree of branching decisions, its bound, and when
// plans are made at its nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "host/select/price/plans/plan_maker.hpp"
#include "host/select/price/proof/lp_relaxation.hpp"
#include "host/select/price/proof/restricted_search.hpp"

namespace tonnage::price {

struct BranchLimits {
  double near = 0;          // a plan so far above the bound is near enough
  Accuracy accuracy{};      // of the prices of a node
  std::int64_t work = 0;    // passes over the fleet times players
  bool plan_first = false;  // also before any decision
};

// Decisions that some plans keep, and what is known of those plans.
struct Leaf {
  std::vector<Decision> decisions;
  double bound = 0;                   // of the stage that grew it
  std::vector<double> least_skipped;  // [classes] unserved players of each; of stages before
};

// Makes a plan at a node: for a table and a stage that hold its decisions, its prices, the bound of
// that stage, and the node as a leaf.
using MakePlan = std::function<Packing(PlanMaker&, const Table&, const Stage&, const Prices&,
                                       double bound, const Leaf&)>;

// Where few large servers compete for the last cards, the relaxation gives each shares of several
// options, and its bound is too good to be true: what that saves may be many times what any other
// plan could. Deciding one after the other (it takes an option, it does not) raises the bound to
// that of the least node left, and at each node prices tell the others what to do.
//
// `prices` are those of the bound of `proof`. `best` is the best plan so far, which holds the
// levels of the stage, and becomes the best one found. Of `leaves` every plan that matters keeps
// the decisions of one: those that stages before left, or one without decisions. Those of the tree
// take their place, so that the next stage need not find out again. Raises `proof`.
void branch(const Table& table, const Stage& stage, const Prices& prices,
            const BranchLimits& limits, int num_threads, std::int64_t& iterations,
            const MakePlan& make, std::vector<Leaf>& leaves, Packing& best, Proof& proof);

}  // namespace tonnage::price
