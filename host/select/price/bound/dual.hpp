// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The Lagrangian dual of a stage: prices of cards and of service levels. Owns: the certified bound
// at given prices, and the search for prices that maximise it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/select/price/model/table.hpp"

namespace tonnage::price {

// The cheapest choices of all servers at some prices, summed up.
struct Response {
  double value = 0;             // of the relaxed stage, rounding errors included
  double rounding = 0;          // at least as large as the error of `value`
  std::vector<double> load;     // [resources + 1] asked for
  std::vector<double> skipped;  // [classes]

  // Certified lower bound of the stage.
  [[nodiscard]] double bound() const { return value - rounding; }
};

[[nodiscard]] Response respond(const Table& table, const Stage& stage, const Prices& prices,
                               int num_threads);

// Least reduced cost of a server's options, and the option that has it (the first one of those).
struct Cheapest {
  double cost;
  std::int64_t option;
};
[[nodiscard]] inline Cheapest cheapest_option(const Table& table, double value_weight,
                                              const std::vector<double>& resource_price,
                                              std::int64_t server) {
  Cheapest best{std::numeric_limits<double>::infinity(), -1};
  for (std::int64_t o = table.first[server]; o < table.first[server + 1]; ++o) {
    const double cost = table.cost_of(table.options[o], value_weight, resource_price);
    if (cost < best.cost) best = {cost, o};
  }
  return best;
}

// Zero prices, the start of a search without better ones.
[[nodiscard]] Prices zero_prices(const Table& table, const Stage& stage);

// The accuracy of prices.
struct Accuracy {
  double tolerance;  // the share of the bound by which its prices may miss it
  // Among equally good prices find central ones, from which linear programs and plans are better.
  // Takes longer; ignored in large fleets.
  bool is_central;
};

// Prices that maximise the bound of the stage. `start`: prices of the stage of any quality. Adds
// the passes over the fleet to `iterations`.
[[nodiscard]] Prices maximise_dual(const Table& table, const Stage& stage, const Prices& start,
                                   const Accuracy& accuracy, int num_threads,
                                   std::int64_t& iterations);

// One search only. Nothing if prices rise beyond a few times those of `start` and thousands of
// times the usual: the stage then has no plan, or hardly one.
[[nodiscard]] std::optional<Prices> bounded_prices(const Table& table, const Stage& stage,
                                                   const Prices& start, const Accuracy& accuracy,
                                                   int num_threads, std::int64_t& iterations);

}  // namespace tonnage::price
