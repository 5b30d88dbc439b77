// Plans made from prices. Owns: the perturbation of tied values, and the order of repair and
// improvement.
#pragma once

#include <cstdint>
#include <vector>

#include "host/select/price/model/assignment.hpp"

namespace tonnage::price {

// A plan that falls short by more players than this is beyond repair, and one that an exact search
// left lacking more beyond mending.
inline constexpr std::int64_t kRepairable = 3, kMendable = 12;

// How many players more go without than the stage allows.
[[nodiscard]] std::int64_t shortfall(const Stage& stage, const Packing& packing);
[[nodiscard]] inline bool falls_short(const Stage& stage, const Packing& packing) {
  return shortfall(stage, packing) > 0;
}

// The same, and the units of resources that the plan takes beyond what there is.
[[nodiscard]] std::int64_t lack(const Table& table, const Stage& stage, const Packing& packing);

// Of the prices that plans are made from.
inline constexpr Accuracy kPlanAccuracy{1e-10, false};

class PlanMaker {
 public:
  // Adds the passes over the fleet to `iterations`, which outlives the maker, as does the table.
  PlanMaker(const Table& table, int num_threads, std::int64_t& iterations);

  // How far a player's values lie apart, on average; above 0.
  [[nodiscard]] double spread() const { return spread_; }

  // Everybody's cheapest choice at prices found for values that do not tie, made to fit. `jitter`:
  // what values are told apart by, a share of the spread; every `salt` does it in another way.
  [[nodiscard]] Packing round_jittered(const Stage& stage, const Prices& start, double jitter,
                                       std::uint64_t salt = 0);

  // The same, but not made to fit, at prices that leave `*spare` cards of each type over; where
  // none do, as when every card is needed, `*spare` becomes 0.
  [[nodiscard]] Packing choose_jittered(const Stage& stage, const Prices& start, double jitter,
                                        std::uint64_t salt = 0, std::int64_t* spare = nullptr);

  // A plan made for `target`, a stage like `stage` but for its weights or reserves, and improved.
  [[nodiscard]] Packing attempt(const Stage& target, const Stage& stage, const Prices& prices,
                                double jitter, std::uint64_t salt);

  // The plans that are worth improving, the best first as far as the prices tell.
  [[nodiscard]] std::vector<std::size_t> most_promising(const Stage& stage, const Prices& prices,
                                                        const std::vector<Packing>& plans) const;

  // Improves a plan, and where it falls short tries to mend that.
  void repair(const Stage& stage, const Prices& prices, Packing& plan) const;

  // improve() and exchange() for as many rounds as pay.
  void improve_moves(const Stage& stage, const Prices& prices, Packing& plan) const;
  void exchange_moves(const Stage& stage, const Prices& prices, Packing& plan) const;
  // The same while something lacks, if that is not too much.
  void mend_moves(const Stage& stage, const Prices& prices, Packing& plan) const;

 private:
  // A table whose values do not tie, and prices found for them.
  struct Apart {
    Table table;
    Prices prices;
  };
  [[nodiscard]] Apart tell_apart(const Stage& stage, const Prices& start, double jitter,
                                 std::uint64_t salt, std::int64_t* spare = nullptr);
  // A plan of another table with the same options.
  [[nodiscard]] Packing own(const Packing& plan) const;

  const Table& table_;
  int num_threads_;
  std::int64_t& iterations_;
  double spread_ = 1;
};

}  // namespace tonnage::price
