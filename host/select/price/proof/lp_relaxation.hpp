// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// LP relaxation of a stage, tightened by Gomory cuts, also under branching decisions. Owns: its
// columns and cuts, the bound that its prices prove, and what to branch on next.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

// A branching decision: whether a server takes an option (Assignment::kNone: goes without).
struct Decision {
  std::int64_t server, option;
  bool takes;
};

// CutPrices (cut prices): amounts added to the costs of options. Feasible plans of the stage pay at
// most `most` in total, so a bound with cut prices minus `most` is a valid bound.
struct CutPrices {
  std::vector<double> of_option;  // [options of the table]; empty: none
  double most = 0;
};

// The table with cut prices and values weighted by the stage, for use with weight 1.
[[nodiscard]] Table with_cut_prices(const Table& table, double value_weight,
                                    const CutPrices& cut_prices);

// The relaxation of a stage under branching decisions.
struct Relaxed {
  double bound = 0;      // none is better
  Prices prices;         // that prove it, with cut prices
  CutPrices cut_prices;  // kept only where nothing is decided
  Assignment choices;    // everybody's largest share; may not hold
  // The next branching decision if shares are fractional; server -1 if they are integral.
  Decision next{-1, Assignment::kNone, true};
};

// Column generation with cuts. The linear program starts with the choices near the cheapest at the
// prices and adds those that its own prices find cheaper. While its solution is fractional, rows of
// its basis give Gomory cuts (gomory_cuts.hpp), which hold under any decisions. Prices of rows and
// cuts prove a bound by the cheapest choices, as prices of cards alone do. Needs
// has_exact_solver().
class Relaxer {
 public:
  // `prices` maximise the bound of the stage. All arguments outlive the relaxer. Adds passes over
  // the fleet to `iterations`.
  Relaxer(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
          std::int64_t& iterations);
  ~Relaxer();
  Relaxer(const Relaxer&) = delete;
  Relaxer& operator=(const Relaxer&) = delete;

  // Solves the relaxation under decisions. Separates cuts as long as they pay, the bound is below
  // `enough` and less than `most_work` was done.
  [[nodiscard]] Relaxed relax(const std::vector<Decision>& decisions, double enough,
                              std::int64_t most_work);

  // Work so far, in passes over the fleet times servers.
  [[nodiscard]] std::int64_t work() const;

 private:
  class Program;
  std::unique_ptr<Program> program_;
};

}  // namespace tonnage::price
