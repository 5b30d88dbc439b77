// Exact selection under capacity, stage by stage of the lexicographic order. Owns: the options of
// the exact solver.
#pragma once

#include "tonnage/core/progress.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage {

struct MilpOptions {
  int num_threads = 0;  // of the search for a plan to start from; 0: one per processor
  // What servers that no whole allocation is left for get from the cards left over.
  SaturationPolicy policy = SaturationPolicy::kNone;
  bool delayed_best_effort = false;  // all of them after the last class, else class by class
  // Seconds for all stages together, shared evenly among those left; 0: none. A stage that runs out
  // of time keeps the best plan found and states how far from the best it may be.
  double time_limit_s = 0;
  ProgressCallback progress;
};

// Whether this build has an exact solver.
[[nodiscard]] bool has_milp() noexcept;

// Class by class in ascending priority the most servers served whole, then the least total value
// among such plans: proven, unless the time limit ends a search. Starts from the plan of
// select_price and is never behind it. What a search that ends by itself finds is the same every
// time; what one cut short by time finds depends on the machine.
// Throws Error (kUnavailable) if the build has no exact solver.
[[nodiscard]] Selection select_milp(const OptionTable& table, const MilpOptions& options = {});

}  // namespace tonnage
