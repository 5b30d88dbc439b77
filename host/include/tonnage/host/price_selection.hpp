// Near-optimal selection under capacity by prices of cards, with a certificate for every stage of
// the lexicographic order. Owns: the options and the result of the price solver.
#pragma once

#include <cstdint>
#include <vector>

#include "tonnage/core/certificate.hpp"
#include "tonnage/core/progress.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

struct PriceOptions {
  int num_threads = 0;  // 0: one per processor
  // What servers that no whole allocation is left for get from the cards left over.
  SaturationPolicy policy = SaturationPolicy::kNone;
  bool delayed_best_effort = false;  // all of them after the last class, else class by class
  ProgressCallback progress;
  // Prices to start from, cents/hour per card of each type, e.g. Selection::type_prices of the last
  // plan; empty: none known. They change the effort, hardly the result. Those that are negative,
  // not finite or absurd (above 1e12) count as unknown.
  std::vector<double> start_prices;
};

// The choices of a solver with proofs of how good they are.
struct Selection {
  std::vector<Choice> choices;           // [servers]
  std::vector<StageCertificate> stages;  // one per class, ascending priority; last the value stage
  // What one more card of a type, or one more server served in a class, is worth at the margin of
  // the last stage, cents/hour.
  std::vector<double> type_prices;   // [types]
  std::vector<double> limit_prices;  // [limits] per unit
  std::vector<double> class_prices;  // [classes, ascending priority]
  std::int64_t iterations = 0;       // passes over the fleet in search of prices
};

// Class by class in ascending priority the most servers served whole, then the least total value
// among such plans, each as nearly as the certificates tell; never exceeds capacity and never falls
// behind select_greedy without best effort. Servers without options are not in the game.
// Servers left unserved share the cards left over by `policy`, by priority, then index. Partial
// allocations do not count in the certificates.
// The same table gives the same answer whatever the number of threads; ties go by index. The bounds
// count options that need no more cards than their type has.
[[nodiscard]] Selection select_price(const OptionTable& table, const PriceOptions& options = {});

}  // namespace tonnage
