// LP relaxation of a stage, tightened by Gomory cuts, also under branching decisions. Owns: its
// columns and cuts, the bound that its prices prove, and what to branch on next.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

// Whether a player takes an option; Packing::kNone stands for going without.
struct Decision {
  std::int64_t player, option;
  bool takes;
};

// Amounts added to what options cost. All plans that hold the stage they were made for pay at most
// `most` of them in all, so a bound with tolls less `most` is one without.
struct Tolls {
  std::vector<double> of_option;  // [options of the table]; empty: none
  double most = 0;
};

// The table with tolls, and values as the stage weighs them: to be used with a weight of 1.
[[nodiscard]] Table with_tolls(const Table& table, double value_weight, const Tolls& tolls);

// What is known of the plans of a stage that keep some decisions.
struct Relaxed {
  double bound = 0;  // none is better
  Prices prices;     // that prove it, with tolls
  Tolls tolls;       // kept only where nothing is decided
  Packing choices;   // everybody's largest share; may not hold
  // Where shares are not whole: what to decide. Player -1: they are.
  Decision next{-1, Packing::kNone, true};
};

// The linear program has the choices that cost about as much as the cheapest at the prices, and
// gets those that its own prices find cheaper. Where its solution is not whole, the combinations of
// rows that its basis suggests are rounded (price_rounding.hpp); each cut is a row of the next ones
// and holds whatever is decided. Prices of rows and cuts prove a bound by everybody's cheapest
// choice, as prices of cards alone do. Needs has_exact_solver().
class Relaxer {
 public:
  // `prices` maximise the bound of the stage. All arguments outlive the relaxer. Adds passes over
  // the fleet to `iterations`.
  Relaxer(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
          std::int64_t& iterations);
  ~Relaxer();
  Relaxer(const Relaxer&) = delete;
  Relaxer& operator=(const Relaxer&) = delete;

  // Of the plans that keep the decisions. Looks for more cuts as long as they pay, the bound is
  // below `enough` and less than `most_work` was done.
  [[nodiscard]] Relaxed relax(const std::vector<Decision>& decisions, double enough,
                              std::int64_t most_work);

  // What was done so far, in passes over the fleet times players.
  [[nodiscard]] std::int64_t work() const;

 private:
  class Program;
  std::unique_ptr<Program> program_;
};

}  // namespace tonnage::price
