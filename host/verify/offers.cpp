// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The allocations of one accelerator each that a server may get, at every batch size considered.
#include "host/verify/offers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "tonnage/core/goodput_search.hpp"

namespace tonnage::verify {
namespace {

// Trying every batch size of a line takes time in proportion to the square of its ceiling: of all
// lines of a fleet together about so many squares, which are a second of work or two.
constexpr double kMostSquares = 1e8;

// Replicas at a goodput, the minimum of the server included; absent beyond kMaxReplicas.
std::optional<std::int64_t> needed_at(const Demand& demand, double goodput_per_ms) {
  std::optional<std::int64_t> needed = replicas_for(demand.rate_per_ms, goodput_per_ms);
  if (needed) needed = std::max(*needed, demand.server->min_num_replicas);
  return needed;
}

bool size_line(const Demand& demand, const Supply& supply, std::int64_t batch, Line& line) {
  const RateSearch<double> found =
      size_pair(replica_queue(demand, supply, batch), demand.targets, demand.has_tps_target);
  if (!found.feasible) return false;
  const std::optional<std::int64_t> needed = needed_at(demand, found.throughput_per_ms);
  if (!needed) return false;
  line = {&supply, batch, found.throughput_per_ms, *needed};
  return true;
}

bool try_every_batch(const Demand& demand, const Supply& supply, std::int64_t ceiling, Line& best) {
  bool any = false;
  for (std::int64_t batch = 1; batch <= ceiling; ++batch) {
    Line line;
    if (!size_line(demand, supply, batch, line)) continue;
    if (!any || line.needed < best.needed) best = line;
    any = true;
  }
  return any;
}

bool search_batches(const Demand& demand, const Supply& supply, std::int64_t ceiling, Line& line) {
  const QueueShape queue = replica_queue(demand, supply, ceiling);
  std::vector<double> inverse_mu(static_cast<std::size_t>(ceiling) + 1);
  fill_inverse_mu(queue.service, ceiling, inverse_mu.data());
  GoodputSearch search(queue, demand.targets, demand.has_tps_target, inverse_mu.data(),
                       [&](std::int64_t batch) {
                         return size_pair(replica_queue(demand, supply, batch), demand.targets,
                                          demand.has_tps_target, inverse_mu.data());
                       });
  // Goodput matters where it saves a replica.
  const std::int64_t fewest = std::max<std::int64_t>(1, demand.server->min_num_replicas);
  const GoodputSearch::Found best = search.best([&](double goodput) {
    const std::optional<std::int64_t> needed = needed_at(demand, goodput);
    if (!needed) return demand.rate_per_ms / static_cast<double>(kMaxReplicas);
    if (*needed <= fewest) return std::numeric_limits<double>::infinity();
    return demand.rate_per_ms / static_cast<double>(*needed - 1);
  });
  if (best.batch == 0 || !size_line(demand, supply, best.batch, line)) return false;
  const GoodputSearch::Found first =
      search.first(demand.rate_per_ms / static_cast<double>(line.needed));
  if (first.batch > 0) return size_line(demand, supply, first.batch, line);
  return true;
}

}  // namespace

Offers::Offers(const System& system, const OptimizerSpec& optimizer, BatchMode batch)
    : system_(system), optimizer_(optimizer), batch_(batch) {
  for (const auto& [name, model] : system.models()) {
    std::vector<Supply>& supplies = supplies_[name];
    for (const auto& [accelerator_name, data] : model.perfs()) {
      const Accelerator* accelerator = system.find_accelerator(accelerator_name);
      if (accelerator == nullptr) continue;
      const std::optional<Supply> supply = read_supply(accelerator->spec(), data);
      if (supply) supplies.push_back(*supply);
    }
  }
  const auto lines = static_cast<double>(system.servers().size() * system.accelerators().size());
  every_batch_ = static_cast<std::int64_t>(std::sqrt(kMostSquares / std::max(1.0, lines)));
}

std::vector<const Supply*> Offers::supplies_of(const Demand& demand) const {
  std::vector<const Supply*> allowed;
  const ServerSpec& server = *demand.server;
  const auto of_model = supplies_.find(server.model);
  if (of_model == supplies_.end()) return allowed;
  for (const Supply& supply : of_model->second) {
    const std::string& name = supply.accelerator->name;
    if (must_stay(server) && name != server.current_alloc.accelerator) continue;
    if (!excludes(system_, server, name)) allowed.push_back(&supply);
  }
  return allowed;
}

std::vector<Line> Offers::lines_of(const Demand& demand) const {
  std::vector<Line> lines;
  for (const Supply* supply : supplies_of(demand)) {
    Line line;
    if (find_line(demand, *supply, line)) lines.push_back(line);
  }
  return lines;
}

bool Offers::find_line(const Demand& demand, const Supply& supply, Line& line) const {
  if (!can_serve(demand, supply)) return false;
  const std::int64_t ceiling = batch_ceiling(demand, supply);
  if (batch_ == BatchMode::kMax) return size_line(demand, supply, ceiling, line);
  return ceiling <= every_batch_ ? try_every_batch(demand, supply, ceiling, line)
                                 : search_batches(demand, supply, ceiling, line);
}

Offer Offers::alone(const Demand& demand, const OfferPart& part) const {
  const Supply& supply = *part.supply;
  Offer offer;
  offer.parts = {part};
  offer.cost = supply.cost * static_cast<double>(part.replicas);
  if (optimizer_.weighs_power()) {
    double rho = 0;
    if (demand.kind == Demand::Kind::kLoaded) {
      const QueueShape queue = replica_queue(demand, supply, part.batch);
      rho = evaluate_queue(queue.service, queue.max_batch, queue.max_queue,
                           demand.rate_per_ms / static_cast<double>(part.replicas))
                .utilization;
    }
    offer.power_w = replicas_power_w(supply, part.replicas, rho);
  }
  offer.transition =
      transition_to(*demand.server, supply.accelerator->name, part.replicas, offer.cost);
  offer.objective =
      objective_of(optimizer_, *demand.server, offer.transition, offer.cost, offer.power_w);
  return offer;
}

std::vector<Offer> Offers::of(const Demand& demand) const {
  const ServerSpec& spec = *demand.server;
  const auto allowed = [&](std::int64_t replicas) {
    return spec.max_num_replicas == 0 || replicas <= spec.max_num_replicas;
  };
  std::vector<Offer> offers;
  switch (demand.kind) {
    case Demand::Kind::kUnplannable:
      break;
    case Demand::Kind::kEmpty:
      if (!supplies_of(demand).empty()) {
        Offer nothing;
        nothing.transition = transition_to(spec, "", 0, 0);
        nothing.objective = objective_of(optimizer_, spec, nothing.transition, 0, 0);
        offers.push_back(nothing);
      }
      break;
    case Demand::Kind::kIdle:
      if (!allowed(spec.min_num_replicas)) break;
      for (const Supply* supply : supplies_of(demand)) {
        offers.push_back(
            alone(demand, {supply, spec.min_num_replicas, batch_ceiling(demand, *supply)}));
      }
      break;
    case Demand::Kind::kLoaded: {
      std::vector<Line> lines = lines_of(demand);
      for (const Line& line : lines) {
        const std::int64_t replicas = line.needed + optimizer_.spare_replicas;
        if (allowed(replicas)) offers.push_back(alone(demand, {line.supply, replicas, line.batch}));
      }
      if (!optimizer_.heterogeneous) break;
      const auto servers = static_cast<std::int64_t>(system_.servers().size());
      for (Offer& mix : offered_mixes(optimizer_, demand, std::move(lines), servers)) {
        offers.push_back(std::move(mix));
      }
      break;
    }
  }
  return offers;
}

}  // namespace tonnage::verify
