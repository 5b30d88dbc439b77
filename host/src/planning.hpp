// What planning works out before anything is described: the options of every server and what was
// selected among them.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/price_selection.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

struct Planning {
  Problem problem;
  SearchResult found;
  OptionTable table;
  Solver solver = Solver::kAuto;  // the one that ran
  std::string backend;
  Selection selection;  // certificates and prices only where the solver knows them
  double evaluation_s = 0;
  double selection_s = 0;
};

[[nodiscard]] Planning run_planning(const System& system, const OptimizerSpec& optimizer,
                                    const PlannerOptions& options);

// The options that a plan is selected from: `outcomes` get their spare replicas, capacities leave
// out the headroom.
[[nodiscard]] OptionTable offer_options(const Problem& problem, const OptimizerSpec& optimizer,
                                        std::vector<LineOutcome>& outcomes);

// The rows of a system, built by several threads (0: one per processor).
[[nodiscard]] Problem build_rows(const System& system, int num_threads);

[[nodiscard]] SearchOptions search_options(const PlannerOptions& options);

}  // namespace tonnage
