// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reduced-cost fixing: a stage without the servers whose choice prices no longer change, and
// without the options that no server chooses. Owns: which these are, and what they leave to the
// others.
#pragma once

#include <optional>

#include "host/select/price/model/table.hpp"

namespace tonnage::price {

// The reduced stage, in which only some servers still have a choice. At any prices its bound plus
// `constant` is at least that of the whole stage, and equal where the fixed choices are the
// cheapest.
struct Unfixed {
  Table table;          // `source` and `source_server` are empty; capacity may be below 0
  Stage stage;          // reserves what the others skip
  double constant = 0;  // what the others add to the objective
};

// Fixes every server whose cheapest choice at `prices` stays the same for all prices within
// `radius`; other servers keep the options that may become their cheapest. Nothing if so few can be
// fixed that it hardly pays.
[[nodiscard]] std::optional<Unfixed> fix_servers(const Table& table, const Stage& stage,
                                                 const Prices& prices, const Prices& radius,
                                                 int num_threads);

}  // namespace tonnage::price
