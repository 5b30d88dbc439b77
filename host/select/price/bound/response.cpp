// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The Lagrangian bound of a stage at given prices: the cheapest choice of every server, summed up
// in an order that does not depend on threads, with a bound on the rounding errors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "host/base/parallel.hpp"
#include "host/select/price/bound/dual.hpp"

namespace tonnage::price {
namespace {

// Options that one thread should at least visit, since starting a thread takes about as long.
constexpr std::int64_t kThreadOptions = 200000;

}  // namespace

Response respond(const Table& table, const Stage& stage, const Prices& prices, int num_threads) {
  const std::int64_t servers = table.first_server[stage.num_classes];
  const auto classes = static_cast<std::size_t>(stage.num_classes);
  struct Part {
    double value = 0;
    double magnitude = 0;
    std::vector<double> load, skipped;
  };
  std::vector<Part> parts(static_cast<std::size_t>((servers + kChunk - 1) / kChunk));
  const std::int64_t worthwhile = std::max<std::int64_t>(1, table.first[servers] / kThreadOptions);
  const auto team = static_cast<int>(std::min<std::int64_t>(team_size(num_threads), worthwhile));
  parallel_chunks(servers, kChunk, team, [&](std::int64_t begin, std::int64_t end) {
    Part& part = parts[begin / kChunk];
    part.load.assign(prices.resource.size(), 0.0);
    part.skipped.assign(classes, 0.0);
    for (std::int64_t p = begin; p < end; ++p) {
      const Cheapest best = cheapest_option(table, stage.value_weight, prices.resource, p);
      const std::int32_t rank = table.class_of[p];
      const bool skips = prices.skip[rank] < best.cost;
      const double cost = skips ? prices.skip[rank] : best.cost;
      if (skips) {
        part.skipped[rank] += 1;
      } else {
        table.for_uses(table.options[best.option],
                       [&](std::int32_t r, double amount) { part.load[r] += amount; });
        part.magnitude += 2 * std::abs(stage.value_weight * table.options[best.option].value);
      }
      part.value += cost;
      part.magnitude += std::abs(cost);
    }
  });

  Response sum;
  sum.load.assign(prices.resource.size(), 0.0);
  sum.skipped.assign(classes, 0.0);
  double magnitude = 0;
  for (const Part& part : parts) {
    sum.value += part.value;
    magnitude += part.magnitude;
    for (std::size_t r = 0; r < sum.load.size(); ++r) sum.load[r] += part.load[r];
    for (std::size_t k = 0; k < classes; ++k) sum.skipped[k] += part.skipped[k];
  }
  for (std::int32_t r = 0; r < table.num_resources; ++r) {
    const double paid = prices.resource[r] * static_cast<double>(table.capacity[r]);
    sum.value -= paid;
    magnitude += paid;
  }
  for (std::size_t k = 0; k < classes; ++k) {
    const auto rank = static_cast<std::int32_t>(k);
    if (!stage.is_priced(rank)) continue;
    const double paid = (prices.skip[k] - stage.skip_cost[k]) * stage.allowance(rank);
    sum.value -= paid;
    magnitude += paid;
  }
  // Bound on the terms of each sum, each with a few roundings.
  const auto terms = static_cast<double>(kChunk + static_cast<std::int64_t>(parts.size()) +
                                         table.num_resources + stage.num_classes + 8);
  sum.rounding = magnitude * terms * std::numeric_limits<double>::epsilon();
  return sum;
}

Prices zero_prices(const Table& table, const Stage& stage) {
  Prices prices;
  prices.resource.assign(table.capacity.size(), 0.0);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    prices.skip.push_back(stage.is_forced(k) ? std::numeric_limits<double>::infinity()
                                             : stage.skip_cost[k]);
  }
  return prices;
}

}  // namespace tonnage::price
