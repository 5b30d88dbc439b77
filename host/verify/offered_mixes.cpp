// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Combinations of two accelerators for one server. Owns: verification's own list of those that
// plans choose from (docs/selection.md, "Mixed accelerators"). The planner leaves out combinations
// that others beat; here they stay, since the least cost at any prices is the same with them.
#include <algorithm>
#include <array>
#include <cmath>

#include "host/verify/offers.hpp"

namespace tonnage::verify {
namespace {

constexpr std::int64_t kMostSplits = 16;  // of a pair of accelerators
// States of queues that the power of all combinations of a fleet may take a walk over.
constexpr double kMostStates = 1e9;

// Replicas of this accelerator that carry the load without another one, any minimum aside.
std::int64_t alone(const Demand& demand, const Line& line) {
  return *replicas_for(demand.rate_per_ms, line.goodput_per_ms);
}

// How often the load of two accelerators is divided otherwise.
std::int64_t num_splits(const Demand& demand, const Line& a, const Line& b) {
  return std::min(kMostSplits, std::min(alone(demand, a), alone(demand, b)) - 1);
}

// Accelerators that a server of a fleet of so many is offered combinations of: so many that about
// 500 pairs of them are looked at for each server, in large fleets a million for all, in small
// ones 250,000 for all; four at least.
std::size_t most_lines(std::int64_t num_servers) {
  const auto servers = static_cast<double>(std::max<std::int64_t>(1, num_servers));
  const double pairs = std::max(std::min(500.0, 1e6 / servers), 250e3 / servers);
  return static_cast<std::size_t>(std::max(4.0, std::floor(std::sqrt(2 * pairs))));
}

// Leaves the accelerators that are cheapest for what they carry, as many as the size of the fleet
// and, where power counts, the size of the batches allow.
void keep_cheapest(const OptimizerSpec& optimizer, const Demand& demand, std::int64_t num_servers,
                   std::vector<Line>& lines) {
  std::vector<Line> cheapest = lines;
  std::stable_sort(cheapest.begin(), cheapest.end(), [](const Line& a, const Line& b) {
    return a.supply->cost * b.goodput_per_ms < b.supply->cost * a.goodput_per_ms;
  });
  cheapest.resize(std::min(cheapest.size(), most_lines(num_servers)));
  if (optimizer.weighs_power()) {
    const double most_states = kMostStates / static_cast<double>(num_servers);
    double states = 0;
    for (std::size_t i = 1; i < cheapest.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        states += static_cast<double>(num_splits(demand, cheapest[i], cheapest[j])) *
                  static_cast<double>(cheapest[i].batch + cheapest[j].batch);
      }
      if (states <= most_states) continue;
      cheapest.resize(std::max<std::size_t>(2, i));
      break;
    }
  }
  std::erase_if(lines, [&](const Line& line) {
    return std::none_of(cheapest.begin(), cheapest.end(),
                        [&](const Line& kept) { return kept.supply == line.supply; });
  });
}

// Watts of both parts, whose replicas see their share of the load by goodput.
double power_of(const Demand& demand, const std::array<const Line*, 2>& lines,
                const std::array<std::int64_t, 2>& replicas) {
  const double all = static_cast<double>(replicas[0]) * lines[0]->goodput_per_ms +
                     static_cast<double>(replicas[1]) * lines[1]->goodput_per_ms;
  double power_w = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const QueueShape queue = replica_queue(demand, *lines[i]->supply, lines[i]->batch);
    const double rate = demand.rate_per_ms * lines[i]->goodput_per_ms / all;
    power_w += replicas_power_w(
        *lines[i]->supply, replicas[i],
        evaluate_queue(queue.service, queue.max_batch, queue.max_queue, rate).utilization);
  }
  return power_w;
}

Offer combined(const OptimizerSpec& optimizer, const Demand& demand,
               const std::array<const Line*, 2>& lines,
               const std::array<std::int64_t, 2>& replicas) {
  Offer offer;
  std::array<Holding, 2> holdings;
  for (std::size_t i = 0; i < 2; ++i) {
    const Supply& supply = *lines[i]->supply;
    offer.parts.push_back({&supply, replicas[i], lines[i]->batch});
    offer.cost += supply.cost * static_cast<double>(replicas[i]);
    holdings[i] = {supply.accelerator->name, replicas[i]};
  }
  if (optimizer.weighs_power()) offer.power_w = power_of(demand, lines, replicas);
  offer.transition = transition_to(*demand.server, holdings, offer.cost);
  offer.objective =
      objective_of(optimizer, *demand.server, offer.transition, offer.cost, offer.power_w);
  return offer;
}

// Combinations of two accelerators: for some replicas of the one that needs fewer, the fewest of
// the other that carry the rest of the load.
void add_splits(const OptimizerSpec& optimizer, const Demand& demand, const Line& a, const Line& b,
                std::vector<Offer>& offers) {
  const std::size_t few = alone(demand, a) <= alone(demand, b) ? 0 : 1;
  const std::size_t many = 1 - few;
  const std::array<const Line*, 2> lines{&a, &b};
  const std::int64_t most = alone(demand, *lines[few]) - 1;
  const std::int64_t splits = num_splits(demand, a, b);
  const ServerSpec& server = *demand.server;
  for (std::int64_t split = 1; split <= splits; ++split) {
    std::array<std::int64_t, 2> replicas{};
    // Every number, or as many spread evenly.
    replicas[few] = (split * most + splits - 1) / splits;
    const double rest =
        demand.rate_per_ms - static_cast<double>(replicas[few]) * lines[few]->goodput_per_ms;
    if (!(rest > 0)) continue;
    const std::optional<std::int64_t> others = replicas_for(rest, lines[many]->goodput_per_ms);
    if (!others) continue;
    replicas[many] = std::max({std::int64_t{1}, *others, server.min_num_replicas - replicas[few]});
    // Any of the replicas may fail: the spare ones are of the more capable kind.
    const std::size_t larger =
        lines[few]->goodput_per_ms >= lines[many]->goodput_per_ms ? few : many;
    replicas[larger] += optimizer.spare_replicas;
    if (server.max_num_replicas > 0 && replicas[0] + replicas[1] > server.max_num_replicas)
      continue;
    offers.push_back(combined(optimizer, demand, lines, replicas));
  }
}

}  // namespace

std::vector<Offer> offered_mixes(const OptimizerSpec& optimizer, const Demand& demand,
                                 std::vector<Line> lines, std::int64_t num_servers) {
  std::erase_if(lines, [](const Line& line) { return !(line.goodput_per_ms > 0); });
  keep_cheapest(optimizer, demand, num_servers, lines);
  std::vector<Offer> offers;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t j = i + 1; j < lines.size(); ++j) {
      add_splits(optimizer, demand, lines[i], lines[j], offers);
    }
  }
  return offers;
}

}  // namespace tonnage::verify
