// Reduced-cost fixing: a stage without the players whose choice prices no longer change, and
// without the options that no player chooses. Owns: which these are, and what they leave to the
// others.
#pragma once

#include <optional>

#include "host/select/price/model/table.hpp"

namespace tonnage::price {

// Everybody's cheapest choice, where only some players still have one. At any prices it costs at
// least as much as that of the whole stage, and as much where the choices taken are the cheapest.
struct Undecided {
  Table table;          // `source` and `server` are empty; capacity may be below 0
  Stage stage;          // reserves what the others skip
  double constant = 0;  // what the others add to the objective
};

// Those whose cheapest choice at `prices` stays that as long as no price moves by more than
// `radius` says take it for good; others keep the options that may become their cheapest. Nothing
// where they are so few that it hardly pays.
[[nodiscard]] std::optional<Undecided> without_decided(const Table& table, const Stage& stage,
                                                       const Prices& prices, const Prices& radius,
                                                       int num_threads);

}  // namespace tonnage::price
