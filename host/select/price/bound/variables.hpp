// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The prices of a stage that may move, as one vector. Owns: their order, the slope of the bound in
// them, and a first guess of their size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/select/price/bound/dual.hpp"
#include "host/select/price/model/table.hpp"

namespace tonnage::price {

// Resources first, then classes with an allowance.
class Variables {
 public:
  Variables(const Table& table, const Stage& stage) : table_(table), stage_(stage) {
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (stage.is_priced(k)) priced_.push_back(k);
    }
  }

  [[nodiscard]] std::vector<double> pack(const Prices& prices) const {
    std::vector<double> x(prices.resource.begin(), prices.resource.end() - 1);
    for (const std::int32_t k : priced_) x.push_back(prices.skip[k]);
    return x;
  }
  void unpack(const std::vector<double>& x, Prices& prices) const {
    std::copy(x.begin(), x.begin() + table_.num_resources, prices.resource.begin());
    for (std::size_t i = 0; i < priced_.size(); ++i) {
      prices.skip[priced_[i]] = x[table_.num_resources + i];
    }
  }
  // Of the bound of this stage or one of less servers.
  [[nodiscard]] std::vector<double> slope(const Table& table, const Stage& stage,
                                          const Response& response) const {
    std::vector<double> g;
    for (std::int32_t r = 0; r < table.num_resources; ++r) {
      g.push_back(response.load[r] - static_cast<double>(table.capacity[r]));
    }
    for (const std::int32_t k : priced_) {
      g.push_back(response.skipped[k] - stage.allowance(k));
    }
    return g;
  }
  // A guess of how large prices get: what servers stand to lose, per server and per unit that a
  // server takes.
  [[nodiscard]] std::vector<double> scale() const {
    double cost = 0;
    std::vector<double> taken(static_cast<std::size_t>(table_.num_resources) + 1, 0.0);
    const std::int64_t servers = table_.first_server[stage_.num_classes];
    for (std::int64_t p = 0; p < servers; ++p) {
      const auto options = table_.options_of(p);
      cost += stage_.value_weight * (options.back().value - options.front().value);
      const std::int32_t rank = table_.class_of[p];
      if (!stage_.is_forced(rank)) cost += stage_.skip_cost[rank];
      table_.for_uses(options.front(), [&](std::int32_t r, double amount) { taken[r] += amount; });
    }
    // Where nothing tells options apart any scale serves.
    if (!(cost > 0)) cost = static_cast<double>(servers);
    double cards = 0;
    for (std::int32_t t = 0; t < table_.num_types; ++t) cards += taken[t];
    std::vector<double> scale(table_.num_types, cost / std::max(cards, 1.0));
    for (std::int32_t r = table_.num_types; r < table_.num_resources; ++r) {
      scale.push_back(cost / std::max(taken[r], 1.0));
    }
    scale.resize(scale.size() + priced_.size(), cost / static_cast<double>(servers));
    return scale;
  }

  // An upper bound on the cost of any plan of the stage.
  [[nodiscard]] double most() const {
    double most = 0;
    for (std::int64_t p = 0; p < table_.first_server[stage_.num_classes]; ++p) {
      const std::int32_t rank = table_.class_of[p];
      double own = stage_.is_forced(rank) ? -std::numeric_limits<double>::infinity()
                                          : stage_.skip_cost[rank];
      for (const FlatOption& o : table_.options_of(p)) {
        own = std::max(own, stage_.value_weight * o.value);
      }
      most += own;
    }
    return most;
  }

 private:
  const Table& table_;
  const Stage& stage_;
  std::vector<std::int32_t> priced_;
};

}  // namespace tonnage::price
