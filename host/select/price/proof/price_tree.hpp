// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Branch and bound by prices, on servers whose choice prices leave undecided between two options,
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
  std::int64_t work = 0;    // passes over the fleet times servers
  bool plan_first = false;  // also before any decision
};

// An open node: its branching decisions, and bounds of the plans that keep them.
struct OpenNode {
  std::vector<Decision> decisions;
  double bound = 0;                   // of the stage that grew it
  std::vector<double> least_skipped;  // [classes] unserved servers of each; of stages before
};

// Makes a plan at a node, given a table and a stage that hold its decisions, its prices, the bound
// of that stage, and the node.
using MakePlan = std::function<Assignment(PlanMaker&, const Table&, const Stage&, const Prices&,
                                          double bound, const OpenNode&)>;

// Branches by prices. Where few large servers compete for the last cards, the relaxation gives them
// fractions of several options, and its bound is far from any plan. Branching on one server after
// the other (it takes an option or not) raises the bound to that of the least open node, and prices
// of each node guide the other servers.
//
// `prices` are those of the bound of `proof`. `best` is the best plan so far, which holds the
// levels of the stage, and becomes the best one found. `leaves` are the open nodes of earlier
// stages, or one without decisions; every plan that matters belongs to one of them. The open nodes
// of this tree replace them for the next stage. Raises `proof`.
void branch(const Table& table, const Stage& stage, const Prices& prices,
            const BranchLimits& limits, int num_threads, std::int64_t& iterations,
            const MakePlan& make, std::vector<OpenNode>& open_nodes, Assignment& best,
            Proof& proof);

}  // namespace tonnage::price
