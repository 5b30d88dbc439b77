// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans made from prices. Owns: the perturbation of tied values, and the order of repair and
// improvement.
#pragma once

#include <cstdint>
#include <vector>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

// A plan that falls short by more than kRepairable servers is beyond repair. Exchanges can make up
// for at most kExchangeable cards and servers that an exact search left lacking.
inline constexpr std::int64_t kRepairable = 3, kExchangeable = 12;

// How many servers more go without than the stage allows.
[[nodiscard]] std::int64_t shortfall(const Stage& stage, const Assignment& assignment);
[[nodiscard]] inline bool falls_short(const Stage& stage, const Assignment& assignment) {
  return shortfall(stage, assignment) > 0;
}

// The same, and the units of resources that the plan takes beyond what there is.
[[nodiscard]] std::int64_t lack(const Table& table, const Stage& stage,
                                const Assignment& assignment);

// Accuracy of the prices that plans are made from.
inline constexpr Accuracy kPlanAccuracy{1e-10, false};

class PlanMaker {
 public:
  // Adds the passes over the fleet to `iterations`, which outlives the maker, as does the table.
  PlanMaker(const Table& table, int num_threads, std::int64_t& iterations);

  // Average spread of a server's values; above 0.
  [[nodiscard]] double spread() const { return spread_; }

  // Perturbs values (`perturbation`: a share of the spread; `seed`: the seed), finds prices for
  // them, and rounds the cheapest choices to a feasible plan.
  [[nodiscard]] Assignment round_perturbed(const Stage& stage, const Prices& start,
                                           double perturbation, std::uint64_t seed = 0);

  // As round_perturbed() without making the plan feasible, at prices that leave `*spare` cards of
  // each type free. `*spare` becomes 0 if no prices do, e.g. because every card is needed.
  [[nodiscard]] Assignment choose_perturbed(const Stage& stage, const Prices& start,
                                            double perturbation, std::uint64_t seed = 0,
                                            std::int64_t* spare = nullptr);

  // Makes and improves a plan for `target`, a stage like `stage` with other weights or reserves.
  [[nodiscard]] Assignment attempt(const Stage& target, const Stage& stage, const Prices& prices,
                                   double perturbation, std::uint64_t seed);

  // Indices of the plans worth improving, the most promising first, judged by prices.
  [[nodiscard]] std::vector<std::size_t> most_promising(const Stage& stage, const Prices& prices,
                                                        const std::vector<Assignment>& plans) const;

  // Improves a plan, and repairs it if it falls short.
  void repair(const Stage& stage, const Prices& prices, Assignment& plan) const;

  // improve() and exchange() for as many rounds as pay.
  void improve_moves(const Stage& stage, const Prices& prices, Assignment& plan) const;
  void exchange_moves(const Stage& stage, const Prices& prices, Assignment& plan) const;
  // Repair by exchanges, unless the plan is short by too much.
  void repair_moves(const Stage& stage, const Prices& prices, Assignment& plan) const;

 private:
  // A perturbed table and its prices.
  struct Apart {
    Table table;
    Prices prices;
  };
  [[nodiscard]] Apart tell_apart(const Stage& stage, const Prices& start, double perturbation,
                                 std::uint64_t seed, std::int64_t* spare = nullptr);
  // A plan of another table with the same options.
  [[nodiscard]] Assignment own(const Assignment& plan) const;

  const Table& table_;
  int num_threads_;
  std::int64_t& iterations_;
  double spread_ = 1;
};

}  // namespace tonnage::price
