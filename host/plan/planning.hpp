// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Planning before its result is described: the rows of the system, the answers of the evaluator,
// the options of every server, and the selection. Owns: the internal types that planner, explain
// and generate share.
#pragma once

#include <string>
#include <vector>

#include "host/options/offers.hpp"
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
  std::vector<Limit> limits;
  Solver solver = Solver::kAuto;  // the one that ran
  std::string backend;
  Selection selection;  // certificates and prices only where the solver knows them
  double evaluation_s = 0;
  double selection_s = 0;
};

// The free amount of every resource under the choices, types first, then limits. Negative where
// capacity did not count.
[[nodiscard]] std::vector<std::int64_t> left_by(const OptionTable& table,
                                                const std::vector<Choice>& choices);

// An option in words: "2 x H100".
[[nodiscard]] std::string option_name(const Planning& planning, const Option& option);

[[nodiscard]] Planning run_planning(const System& system, const OptimizerSpec& optimizer,
                                    const PlannerOptions& options);

// Builds the rows of a system by `num_threads` threads (0: one per processor).
[[nodiscard]] Problem build_rows(const System& system, int num_threads);

[[nodiscard]] SearchOptions search_options(const PlannerOptions& options);

}  // namespace tonnage
