// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Converts between option tables and the flat tables of the price solver, and states the
// certificates of stages.
#include "host/select/price/certificate.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/src/check.hpp"
#include "host/select/leftovers.hpp"

namespace tonnage::price {
namespace {

// Whether what a plan has left is the capacity less what its options take.
[[maybe_unused]] bool adds_up(const Table& table, const Assignment& assignment) {
  for (std::int32_t r = 0; r < table.num_resources; ++r) {
    std::int64_t left = table.capacity[r];
    for (std::int64_t p = 0; p < assignment.num_servers(); ++p) left -= assignment.taken(p, r);
    if (left != assignment.left(r)) return false;
  }
  return true;
}

}  // namespace

Assignment greedy_assignment(const OptionTable& from, const Table& table) {
  const std::vector<Choice> choices = select_greedy(from, SaturationPolicy::kNone, false);
  Assignment assignment(table, table.num_classes());
  for (std::int64_t p = 0; p < table.num_servers(); ++p) {
    const std::int64_t chosen = choices[table.source_server[p]].option;
    if (chosen < 0) continue;
    const Option& option = from.options[chosen];
    for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
      const FlatOption& flat = table.options[o];
      bool beats = flat.value <= option.objective;
      table.for_uses(flat, [&](std::int32_t r, double amount) {
        beats =
            beats && (amount == 0 || static_cast<std::int64_t>(amount) <= from.taken(option, r));
      });
      if (!beats) continue;
      assignment.put(p, o);
      break;
    }
  }
  return assignment;
}

double cost_of(const OptionTable& from, const Table& table, const Assignment& assignment) {
  double sum = 0;
  for (std::int64_t p = 0; p < assignment.num_servers(); ++p) {
    const std::int64_t o = assignment.option_of(p);
    if (o != Assignment::kNone) sum += from.options[table.source[o]].cost;
  }
  return sum;
}

std::vector<Choice> choices_of(const OptionTable& from, const Table& table,
                               const Assignment& assignment, const PriceOptions& options) {
  TONNAGE_CHECK(assignment.is_feasible() && adds_up(table, assignment));
  std::vector<Choice> choices(static_cast<std::size_t>(from.num_servers()));
  FreeCards cards(from);
  for (std::int64_t p = 0; p < table.num_servers(); ++p) {
    if (assignment.option_of(p) == Assignment::kNone) continue;
    const std::int64_t o = table.source[assignment.option_of(p)];
    choices[table.source_server[p]] = {o, from.options[o].num_replicas};
    cards.take_whole(from.options[o]);
  }
  share_among_unserved(from, options.policy, options.delayed_best_effort, cards, choices);
  return choices;
}

StatedPrices stated_prices(const Table& table, const Stage& stage, const Prices& prices) {
  StatedPrices stated;
  const auto first_limit = prices.resource.begin() + table.num_types;
  stated.types.assign(prices.resource.begin(), first_limit);
  stated.limits.assign(first_limit, prices.resource.end() - 1);
  stated.classes.assign(static_cast<std::size_t>(table.num_classes()), 0.0);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    double& price = stated.classes[k];
    if (stage.is_priced(k)) price = prices.skip[k] - stage.skip_cost[k];
    if (!stage.is_forced(k)) continue;
    for (std::int64_t p = table.first_server[k]; p < table.first_server[k + 1]; ++p) {
      price = std::max(price, cheapest_option(table, stage.value_weight, prices.resource, p).cost);
    }
  }
  return stated;
}

StageCertificate certificate(const Table& table, const Stage& stage, const Prices& prices,
                             const Proof& proof, double hopeless) {
  StageCertificate c;
  c.objective = proof.objective + hopeless;
  c.lower_bound = proof.bound + hopeless;
  c.proven = c.objective == c.lower_bound;
  c.price_bound = std::min(c.lower_bound, proof.of_prices + hopeless);
  StatedPrices stated = stated_prices(table, stage, prices);
  c.type_prices = std::move(stated.types);
  c.limit_prices = std::move(stated.limits);
  c.class_prices = std::move(stated.classes);
  return c;
}

}  // namespace tonnage::price
