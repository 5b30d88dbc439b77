// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The formula of certificates, summed over the servers of a fleet for all stages at once.
#include "host/verify/bounds.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/parallel.hpp"

namespace tonnage::verify {
namespace {

constexpr std::int64_t kServersPerChunk = 16;
// Cards of each type where limits count and cards do not.
constexpr std::int64_t kBoundless = 1'000'000'000'000;
// Rounding in the share of the cards that is not kept free.
constexpr double kUsableSlack = 1e-12;

// What plans may use of each type: of those without a capacity entry nothing.
std::map<std::string, std::int64_t> usable_cards(const System& system,
                                                 const OptimizerSpec& optimizer) {
  std::map<std::string, std::int64_t> cards;
  for (const auto& [name, accelerator] : system.accelerators()) cards[accelerator.type()] = 0;
  for (const auto& [type, count] : system.capacities()) cards[type] = count;
  for (auto& [type, count] : cards) {
    if (optimizer.unlimited && optimizer.has_limits()) {
      count = kBoundless;
    } else {
      const double share = (1 - optimizer.headroom) * (1 + kUsableSlack);
      count = std::min(count,
                       static_cast<std::int64_t>(std::floor(static_cast<double>(count) * share)));
    }
  }
  return cards;
}

// A price that is not stated is 0, and so is one below it: what it would prove may not hold.
template <class Key>
double price_in(const std::map<Key, double>& prices, const Key& key) {
  const auto found = prices.find(key);
  return found == prices.end() ? 0 : std::max(0.0, found->second);
}

bool counts_in(const StageClaims& stage, int priority) {
  return !stage.priority || priority <= *stage.priority;
}

}  // namespace

BoundCheck::BoundCheck(const System& system, const OptimizerSpec& optimizer, BatchMode batch,
                       std::span<const StageClaims> stages)
    : system_(system),
      optimizer_(optimizer),
      stages_(stages),
      limits_(limit_units(optimizer)),
      prices_(stages.size()),
      offers_(system, optimizer, batch) {
  for (const auto& [type, cards] : usable_cards(system, optimizer)) {
    types_[type] = available_.size();
    available_.push_back(cards);
    for (std::size_t k = 0; k < stages.size(); ++k) {
      prices_[k].push_back(price_in(stages[k].type_prices, type));
    }
  }
  for (const LimitUnits& limit : limits_) {
    available_.push_back(limit.offered);
    for (std::size_t k = 0; k < stages.size(); ++k) {
      prices_[k].push_back(price_in(stages[k].limit_prices, limit.name) * limit.unit);
    }
  }
  std::vector<std::pair<const Server*, Row*>> work;
  for (const auto& [name, server] : system.servers()) work.emplace_back(&server, &rows_[name]);
  parallel_chunks(static_cast<std::int64_t>(work.size()), kServersPerChunk, 0,
                  [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t i = first; i < last; ++i) {
                      *work[i].second = look_at(*work[i].first);
                    }
                  });
}

BoundCheck::Row BoundCheck::look_at(const Server& server) const {
  const Demand demand = read_demand(system_, server);
  std::vector<Taken> choices;
  for (const Offer& offer : offers_.of(demand)) choices.push_back(taken_by(offer));
  Row row{!choices.empty(), demand.priority, {}};
  for (std::size_t k = 0; k < stages_.size(); ++k) {
    row.least.push_back(least(k, demand.priority, choices));
  }
  return row;
}

BoundCheck::Taken BoundCheck::taken_by(const Offer& offer) const {
  Taken taken{offer.objective, {}};
  for (const OfferPart& part : offer.parts) {
    const std::size_t type = types_.at(part.supply->accelerator->type);
    const std::int64_t cards = part.replicas * part.supply->cards;
    const auto same = std::find_if(taken.amounts.begin(), taken.amounts.end(),
                                   [&](const auto& amount) { return amount.first == type; });
    if (same == taken.amounts.end()) {
      taken.amounts.emplace_back(type, cards);
    } else {
      same->second += cards;
    }
  }
  const std::vector<std::int64_t> units =
      units_taken(optimizer_, limits_, {offer.cost, offer.power_w, offer.transition.changed});
  for (std::size_t l = 0; l < units.size(); ++l) {
    taken.amounts.emplace_back(types_.size() + l, units[l]);
  }
  return taken;
}

double BoundCheck::least(std::size_t index, int priority, const std::vector<Taken>& choices) const {
  const StageClaims& stage = stages_[index];
  if (choices.empty() || !counts_in(stage, priority)) return 0;
  // Without an allocation: a server of the stage's class counts as one left out.
  double least = stage.priority == priority ? 1 : 0;
  for (const Taken& taken : choices) {
    double cost = stage.priority ? 0 : taken.objective;
    bool fits = true;
    for (const auto& [resource, amount] : taken.amounts) {
      fits = fits && amount <= available_[resource];
      cost += static_cast<double>(amount) * prices_[index][resource];
    }
    if (fits) least = std::min(least, cost - price_in(stage.class_prices, priority));
  }
  return least;
}

bool BoundCheck::has_candidates(const std::string& server) const {
  return rows_.at(server).has_candidates;
}

double BoundCheck::bound(std::size_t index, const StageTruth& truth) const {
  const StageClaims& stage = stages_[index];
  double sum = 0;
  for (const auto& [name, row] : rows_) sum += row.least[index];
  for (std::size_t r = 0; r < available_.size(); ++r) {
    sum -= prices_[index][r] * static_cast<double>(available_[r]);
  }
  for (const auto& [priority, served] : truth.served) {
    if (!counts_in(stage, priority)) continue;
    sum += price_in(stage.class_prices, priority) * static_cast<double>(served);
  }
  return sum;
}

}  // namespace tonnage::verify
