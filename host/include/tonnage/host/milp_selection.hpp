// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact selection under capacity by branch and cut, stage by stage of the lexicographic order.
// Owns: the options of the exact solver.
//
// Example:
//   const tonnage::OptionTable table;  // see build_options()
//   tonnage::MilpOptions options;
//   options.time_limit_s = 10;
//   const tonnage::Selection best = tonnage::select_milp(table, options);
#pragma once

#include "tonnage/core/progress.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage {

struct MilpOptions {
  int num_threads = 0;  // of the search for a plan to start from; 0: one per processor
  // How servers without a whole allocation share the remaining cards.
  SaturationPolicy policy = SaturationPolicy::kNone;
  bool delayed_best_effort = false;  // all of them after the last class, else class by class
  // Seconds for all stages together, divided evenly among the remaining ones; 0: none. A stage that
  // runs out of time keeps its best plan and the bound it has reached.
  double time_limit_s = 0;
  ProgressCallback progress;
};

// Whether this build has an exact solver.
[[nodiscard]] bool has_milp() noexcept;

// Maximises the servers served whole class by class in ascending priority, then minimises the total
// value among such plans (docs/selection.md). The result is optimal unless the time limit ends a
// search. Starts from the plan of select_price and is never worse. Without a time limit the result
// is deterministic. Throws Error (kUnavailable) if the build has no exact solver.
[[nodiscard]] Selection select_milp(const OptionTable& table, const MilpOptions& options = {});

}  // namespace tonnage
