// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An assignment: which server takes which option, and what is left. Owns: the
// order of plans (unserved servers class by class, then value), and the interface of the steps from
// prices to a feasible plan.
#pragma once

#include <cstdint>
#include <vector>

#include "host/select/price/bound/dual.hpp"
#include "host/select/price/model/table.hpp"

namespace tonnage::price {

// Whole allocations of the servers of the first classes. Servers of other classes have none.
class Assignment {
 public:
  static constexpr std::int64_t kNone = -1;

  Assignment(const Table& table, std::int32_t num_classes);

  // Gives a server an option (flat index) or kNone, room or not.
  void put(std::int64_t server, std::int64_t option);

  [[nodiscard]] std::int64_t option_of(std::int64_t server) const { return option_[server]; }
  // What is left of a resource; below zero where more was given than there is.
  [[nodiscard]] std::int64_t left(std::int32_t resource) const { return left_[resource]; }
  // Whether there is room for an option in place of what the server has.
  [[nodiscard]] bool has_room(std::int64_t server, std::int64_t option) const;
  // What a server takes of a resource.
  [[nodiscard]] std::int64_t taken(std::int64_t server, std::int32_t resource) const {
    const std::int64_t o = option_[server];
    return o == kNone ? 0 : table_->taken(table_->options[o], resource);
  }
  [[nodiscard]] std::int64_t skipped(std::int32_t rank) const { return skipped_[rank]; }
  [[nodiscard]] const std::vector<std::int64_t>& skipped() const { return skipped_; }
  [[nodiscard]] std::int32_t num_classes() const {
    return static_cast<std::int32_t>(skipped_.size());
  }
  [[nodiscard]] std::int64_t num_servers() const {
    return static_cast<std::int64_t>(option_.size());
  }
  [[nodiscard]] bool is_feasible() const;
  // Value of all options taken, summed in the order of servers.
  [[nodiscard]] double value(const Table& table) const;
  // The same choices in a table that has the same options and as much of everything.
  [[nodiscard]] Assignment in(const Table& table) const {
    Assignment plan = *this;
    plan.table_ = &table;
    return plan;
  }
  // The same plan with more classes in play, their servers without options.
  void extend(const Table& table, std::int32_t num_classes);

 private:
  const Table* table_;
  std::vector<std::int64_t> option_;   // [servers in play]
  std::vector<std::int64_t> left_;     // [resources + 1]
  std::vector<std::int64_t> skipped_;  // [classes in play]
};

// Whether `a` is the better plan: fewer unserved in the first class that differs, else less value.
[[nodiscard]] bool is_better(const Table& table, const Assignment& a, const Assignment& b);

// The cheapest choice of each server at the prices, feasible or not.
[[nodiscard]] Assignment cheapest_choices(const Table& table, const Stage& stage,
                                          const Prices& prices, int num_threads);

// A feasible plan near the cheapest choices at the prices: overfull resources are relieved where
// that costs least, then free cards are used.
[[nodiscard]] Assignment round_prices(const Table& table, const Stage& stage, const Prices& prices,
                                      int num_threads);

// Serves unserved servers from free resources, by class, cheapest first at the prices.
void fill(const Table& table, const Stage& stage, const Prices& prices, Assignment& assignment);

// Improving moves: a server takes a better option, and others that hold its type may move
// elsewhere. Stops when a round finds none, or after `max_rounds`.
void improve(const Table& table, const Stage& stage, const Prices& prices, int max_rounds,
             Assignment& assignment);

// Serves servers of classes that fall behind what the stage asks for in place of as few servers of
// the classes below as possible; those go without.
void restore_levels(const Table& table, const Stage& stage, Assignment& assignment);

// Exchanges of up to four moves that improve the plan, found by matching pairs of moves: one pair
// uses what the other frees, or what is left. While the plan is infeasible, exchanges that free a
// card or serve one server more come first. Stops when a round gains nothing or hardly anything, or
// after `max_rounds`.
void exchange(const Table& table, const Stage& stage, const Prices& prices, int max_rounds,
              Assignment& assignment);

// Repair: exchanges only while the plan is infeasible.
void repair_by_exchanges(const Table& table, const Stage& stage, const Prices& prices,
                         int max_rounds, Assignment& assignment);

}  // namespace tonnage::price
