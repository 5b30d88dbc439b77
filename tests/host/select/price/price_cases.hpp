// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Small tables of options for the tests of the price solver's parts, and stages of them.
#pragma once

#include <cstdint>
#include <iterator>
#include <limits>
#include <span>

#include "host/select/price/bound/dual.hpp"
#include "support/sampler.hpp"

namespace tonnage::price {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kSlack = 1e-6;

inline void add_option(OptionTable& t, double value, std::int64_t cards, std::int32_t type) {
  t.options.push_back({value, value, value, 1, cards, std::ssize(t.options), type, type});
}
inline void end_server(OptionTable& t, std::int32_t priority) {
  t.first.push_back(std::ssize(t.options));
  t.priority.push_back(priority);
}

// A few servers of two classes that compete for few cards.
inline OptionTable few_servers(testing::Sampler& random) {
  OptionTable from;
  const std::int64_t types = random.whole(1, 3);
  for (std::int64_t t = 0; t < types; ++t) from.capacity.push_back(random.whole(3, 14));
  from.first.push_back(0);
  for (int s = 0; s < 7; ++s) {
    double value = 0;
    for (std::int64_t o = random.whole(1, 3); o > 0; --o) {
      value += static_cast<double>(random.whole(-4, 9));
      add_option(from, value, random.whole(1, 6),
                 static_cast<std::int32_t>(random.whole(0, types - 1)));
    }
    sort_options(std::span(from.options).subspan(static_cast<std::size_t>(from.first.back())));
    end_server(from, 1 + s % 2);
  }
  return from;
}

inline Stage value_stage(const Table& table, std::int64_t may_skip) {
  Stage stage;
  stage.num_classes = table.num_classes();
  stage.skip_cost.assign(static_cast<std::size_t>(stage.num_classes), 0.0);
  stage.may_skip.assign(static_cast<std::size_t>(stage.num_classes), may_skip);
  return stage;
}

inline Prices best_prices(const Table& table, const Stage& stage) {
  std::int64_t passes = 0;
  return maximise_dual(table, stage, zero_prices(table, stage), {1e-10, true}, 1, passes);
}

}  // namespace tonnage::price
