// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The restricted master program of a stage: shares of the choices near the cheapest, and cuts.
// Owns: its rows and columns, and which cuts are made from its basis and which are dropped.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "host/select/price/plans/moves.hpp"
#include "host/select/price/proof/columns.hpp"
#include "host/select/solver/linear_program.hpp"

namespace tonnage::price {

// What costs may differ by and count as equal.
inline constexpr double kCostTolerance = 1e-7;
// A share that differs from a whole one by less counts as whole.
inline constexpr double kFraction = 1e-5;

class ChoiceProgram {
 public:
  // With the choices that cost least at the prices of `choices`, whose servers get slots of their
  // own as they join.
  explicit ChoiceProgram(Choices& choices);

  // Makes columns of choices (the rise of a move is not used); none may have one.
  void add(std::vector<Move> moves);
  [[nodiscard]] bool has_column(std::int64_t server, std::int64_t choice) const;
  // A server takes one of some choices, all of which but that of the reference have columns; until
  // allow_all() is called.
  void allow(std::int64_t server, const std::vector<std::int64_t>& allowed);
  void allow_all(std::int64_t server);

  bool solve() { return lp_.solve(); }
  [[nodiscard]] bool is_impossible() const { return lp_.is_impossible(); }
  // Prices of the last solution: of its rows, a server's among them, and what cuts add up to.
  struct Duals {
    std::vector<double> rows;                          // [rows of the choices]
    std::vector<double> cut_prices;                    // [slots]
    double most = 0;                                   // of all cut prices of a plan
    std::unordered_map<std::int64_t, double> servers;  // below 0 where one must take a column
  };
  [[nodiscard]] Duals duals() const;

  // A server's share of its reference, and its largest of another choice (`column` -1: none).
  struct Shares {
    std::int64_t server;
    double of_reference = 1, largest = 0;
    std::int32_t column = -1;
    [[nodiscard]] bool is_moved() const { return column >= 0 && largest > of_reference; }
    [[nodiscard]] bool is_whole() const {
      return largest > 1 - kFraction || of_reference > 1 - kFraction;
    }
  };
  // Of the last solution, servers ascending.
  [[nodiscard]] std::vector<Shares> shares() const;
  [[nodiscard]] std::int64_t choice_of(std::int32_t column) const {
    return columns_[static_cast<std::size_t>(column)].choice;
  }
  // Calls body(choice, share) for the columns of a server.
  template <class Body>
  void for_columns(std::int64_t server, const std::vector<double>& x, const Body& body) const {
    for (const std::int32_t c : members_.at(server).columns) {
      body(choice_of(c), x[static_cast<std::size_t>(lp_column(c))]);
    }
  }
  [[nodiscard]] std::vector<double> x() const { return lp_.x(); }

  // Cuts off the last solution. False: it is whole, or no cut is found.
  bool separate();
  [[nodiscard]] std::size_t num_cuts() const { return cuts_.size(); }
  // Forgets cuts that do not bind, and solves what is left where there were some.
  bool drop_slack();

  // In steps of about 20 ns, counted and not timed.
  [[nodiscard]] std::int64_t work() const;

 private:
  struct Column {
    std::int64_t server, choice;
    std::int32_t slot;
  };
  struct Member {
    std::int32_t row;
    std::vector<std::int32_t> columns;  // indices into columns_
  };

  void start();
  [[nodiscard]] std::int32_t lp_column(std::int32_t column) const;
  [[nodiscard]] std::vector<Moved> moved() const;
  // [rows of the choices] What the last solution leaves.
  [[nodiscard]] std::vector<double> left(const std::vector<double>& x) const;
  [[nodiscard]] Combination combination(const std::vector<double>& inverse, double times) const;
  [[nodiscard]] LinearProgram::Row row_of(const Cut& cut) const;
  [[nodiscard]] double share_sum(const Cut& cut, const std::vector<double>& x) const;

  Choices& choices_;
  LinearProgram lp_;  // columns: excess of every row of the choices, then columns_
  std::vector<Column> columns_;
  std::unordered_map<std::int64_t, Member> members_;
  std::vector<std::int32_t> cut_of_row_;  // [rows of lp_] -1: none
  std::vector<Cut> cuts_;
  mutable std::int64_t sums_ = 0;  // terms
};

}  // namespace tonnage::price
