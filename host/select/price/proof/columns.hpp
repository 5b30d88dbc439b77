// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Columns of the LP relaxation: the choices of the servers of a stage relative to the cheapest one
// of each. Owns: that reference, what it leaves of every row, and the slots of all other choices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/select/price/model/assignment.hpp"
#include "host/select/price/proof/gomory_cuts.hpp"

namespace tonnage::price {

// Rows are resources, then classes with a level. A choice is an option or Assignment::kNone.
class Choices {
 public:
  // The arguments outlive this.
  Choices(const Table& table, const Stage& stage, const Prices& prices, int num_threads);

  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] const Stage& stage() const { return stage_; }
  [[nodiscard]] const Prices& prices() const { return prices_; }
  [[nodiscard]] std::int64_t num_servers() const { return reference_.num_servers(); }

  [[nodiscard]] const Assignment& reference() const { return reference_; }
  // [rows] What the reference leaves; below 0 where it takes more than there is.
  [[nodiscard]] const std::vector<double>& room() const { return room_; }
  [[nodiscard]] std::int32_t row_of_class(std::int32_t rank) const {  // -1: none
    return row_of_class_[static_cast<std::size_t>(rank)];
  }

  [[nodiscard]] const Effects& effects() const { return effects_; }
  [[nodiscard]] std::int32_t slot_of(std::int64_t server, std::int64_t choice) const {
    return slots_[index_of(server, choice)];
  }
  // Gives a server's choices slots of their own, which follow those there are. Calls copied(slot)
  // with the slot that each had.
  template <class Copied>
  void separate(std::int64_t server, const Copied& copied) {
    for_others(server, [&](std::int64_t o) {
      std::int32_t& slot = slots_[index_of(server, o)];
      copied(slot);
      origin_.resize(static_cast<std::size_t>(effects_.size()), 0);
      origin_.push_back(slot);
      slot = effects_.copy(slot);
    });
  }
  // The slot that one of a server's own was copied from.
  [[nodiscard]] std::int32_t origin_of(std::int32_t slot) const {
    return origin_[static_cast<std::size_t>(slot)];
  }

  // What a choice adds to the objective of the stage, and what it costs at the prices.
  [[nodiscard]] double worth(std::int64_t server, std::int64_t choice) const {
    if (choice == Assignment::kNone) return stage_.skip_cost[table_.class_of[server]];
    return stage_.value_weight * table_.options[choice].value;
  }
  [[nodiscard]] double cost(std::int64_t server, std::int64_t choice) const {
    if (choice == Assignment::kNone) return prices_.skip[table_.class_of[server]];
    return table_.cost_of(table_.options[choice], stage_.value_weight, prices_.resource);
  }

  // Calls body(choice) for what a server may choose but for its choice in the reference.
  template <class Body>
  void for_others(std::int64_t server, const Body& body) const {
    const std::int64_t now = reference_.option_of(server);
    for (std::int64_t o = table_.first[server]; o < table_.first[server + 1]; ++o) {
      if (o != now) body(o);
    }
    if (now != Assignment::kNone && !stage_.is_forced(table_.class_of[server]))
      body(Assignment::kNone);
  }

 private:
  void list_rows();
  void list_slots();
  void add_effect(std::int64_t server, std::int64_t choice, double sign,
                  std::vector<Effects::Entry>& effect) const;
  [[nodiscard]] std::size_t index_of(std::int64_t server, std::int64_t choice) const {
    return static_cast<std::size_t>(
        choice == Assignment::kNone ? std::ssize(table_.options) + server : choice);
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  const Assignment reference_;
  std::vector<double> room_;
  std::vector<std::int32_t> row_of_class_;
  Effects effects_;
  std::vector<std::int32_t> slots_;   // [options, servers going without]
  std::vector<std::int32_t> origin_;  // [slots] of those that are a server's own
};

}  // namespace tonnage::price
