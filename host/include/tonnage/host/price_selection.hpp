// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Near-optimal selection under capacity by Lagrangian prices of cards, with a certificate for every
// stage of the lexicographic order. Owns: the options and the result of the price solver.
//
// Example:
//   const tonnage::OptionTable table;  // see build_options()
//   const tonnage::Selection selection = tonnage::select_price(table);
//   for (const tonnage::StageCertificate& stage : selection.stages) {
//     std::printf("%g, at least %g\n", stage.objective, stage.lower_bound);
//   }
#pragma once

#include <cstdint>
#include <vector>

#include "tonnage/core/certificate.hpp"
#include "tonnage/core/progress.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

struct PriceOptions {
  int num_threads = 0;  // 0: one per processor
  // How servers without a whole allocation share the remaining cards.
  SaturationPolicy policy = SaturationPolicy::kNone;
  bool delayed_best_effort = false;  // all of them after the last class, else class by class
  ProgressCallback progress;
  // Prices to start from, cents/hour per card of each type, e.g. Selection::type_prices of the last
  // plan; empty: none. They change the effort, hardly the result. Prices that are negative, not
  // finite or above 1e12 are ignored.
  std::vector<double> start_prices;
};

// The choices of a solver with a certificate of each stage.
struct Selection {
  std::vector<Choice> choices;           // [servers]
  std::vector<StageCertificate> stages;  // one per class, ascending priority; last the value stage
  // Marginal prices of the last stage, cents/hour: the saving by one more card of a type, and the
  // cost of serving one more server of a class.
  std::vector<double> type_prices;   // [types]
  std::vector<double> limit_prices;  // [limits] per unit
  std::vector<double> class_prices;  // [classes, ascending priority]
  std::int64_t iterations = 0;       // passes over the fleet in search of prices
};

// Maximises the servers served whole class by class in ascending priority, then minimises the total
// value among such plans (docs/selection.md), each as nearly as the certificates state. The plan
// respects capacity and is never worse than select_greedy without best effort. Servers without
// options are ignored.
//
// Unserved servers share the remaining cards by `policy`, in order of priority, then index. Partial
// allocations do not count in the certificates. The result does not depend on the number of
// threads; ties are broken by index. Bounds hold for options that need no more cards than their
// type has.
[[nodiscard]] Selection select_price(const OptionTable& table, const PriceOptions& options = {});

}  // namespace tonnage
