// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Lists the rows and the slots of the choices of a stage (see columns.hpp).
#include "host/select/price/proof/columns.hpp"

#include <algorithm>

namespace tonnage::price {

Choices::Choices(const Table& table, const Stage& stage, const Prices& prices, int num_threads)
    : table_(table),
      stage_(stage),
      prices_(prices),
      reference_(cheapest_choices(table, stage, prices, num_threads)) {
  list_rows();
  list_slots();
}

void Choices::list_rows() {
  for (std::int32_t r = 0; r < table_.num_resources; ++r) {
    room_.push_back(static_cast<double>(reference_.left(r)));
  }
  for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
    row_of_class_.push_back(stage_.is_priced(k) ? static_cast<std::int32_t>(room_.size()) : -1);
    if (!stage_.is_priced(k)) continue;
    room_.push_back(static_cast<double>(stage_.may_skip[k] - reference_.skipped(k)));
  }
}

void Choices::add_effect(std::int64_t server, std::int64_t option, double sign,
                         std::vector<Effects::Entry>& effect) const {
  const auto add = [&](std::int32_t row, double amount) {
    for (Effects::Entry& e : effect) {
      if (e.row == row) {
        e.amount += sign * amount;
        return;
      }
    }
    effect.push_back({row, sign * amount});
  };
  if (option == Assignment::kNone) {
    const std::int32_t row = row_of_class_[table_.class_of[server]];
    if (row >= 0) add(row, 1);
    return;
  }
  table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
    if (r < table_.num_resources) add(r, amount);
  });
}

void Choices::list_slots() {
  slots_.assign(table_.options.size() + static_cast<std::size_t>(num_servers()), 0);
  std::vector<Effects::Entry> effect;
  for (std::int64_t p = 0; p < num_servers(); ++p) {
    for_others(p, [&](std::int64_t o) {
      effect.clear();
      add_effect(p, o, 1, effect);
      add_effect(p, reference_.option_of(p), -1, effect);
      std::erase_if(effect, [](const Effects::Entry& e) { return e.amount == 0; });
      std::sort(effect.begin(), effect.end(),
                [](const Effects::Entry& a, const Effects::Entry& b) { return a.row < b.row; });
      slots_[index_of(p, o)] = effects_.find(effect);
    });
  }
}

}  // namespace tonnage::price
