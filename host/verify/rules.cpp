// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Verification's reading of servers, performance data, transitions and objectives.
#include "host/verify/rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace tonnage::verify {
namespace {

constexpr double kTokensPerSecond = 1000;  // tokens/ms
constexpr double kSurcharge = 0.1;         // for moving, of both costs

bool is_amount(double x) { return x >= 0 && x <= kMaxAmount; }
bool is_count(std::int64_t n, std::int64_t most = kMaxCount) { return n >= 0 && n <= most; }

bool is_valid(const ServerSpec& s) {
  const LoadSpec& load = s.current_alloc.load;
  return load.arrival_rate_per_min >= 0 && load.arrival_rate_per_min <= kMaxArrivalRatePerMin &&
         is_count(load.avg_in_tokens) && is_count(load.avg_out_tokens) &&
         is_count(s.min_num_replicas, kMaxReplicas) && s.max_num_replicas >= 0 &&
         is_count(s.max_batch_size, kMaxBatchSize) && is_count(s.max_queue_size, kMaxQueueSize) &&
         is_count(s.max_num_tokens) && s.current_alloc.num_replicas >= 0 &&
         is_amount(s.current_alloc.cost_cents_per_hour);
}

bool is_valid(const Target& t) {
  const bool percentile = t.ttft_percentile == 0 || (t.ttft_percentile >= kMinTtftPercentile &&
                                                     t.ttft_percentile <= kMaxTtftPercentile);
  const bool drop = t.drop == 0 || (t.drop >= kMinDropTarget && t.drop < 1);
  return is_amount(t.itl_ms) && is_amount(t.ttft_ms) && is_amount(t.tps) && is_amount(t.e2e_ms) &&
         percentile && drop;
}

bool lists(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

double value_of(bool moves, bool changed, double cost_now, double cost_then) {
  if (moves) return cost_then - cost_now + kSurcharge * (cost_now + cost_then);
  return changed ? cost_then - cost_now : 0;
}

}  // namespace

Demand read_demand(const System& system, const Server& server) {
  Demand d;
  d.server = &server.spec();
  const ServiceClass* service_class = system.find_service_class(server.class_name());
  if (service_class != nullptr) d.priority = service_class->priority();
  const Target* target =
      service_class == nullptr ? nullptr : service_class->find_target(server.model());
  const ServerSpec& s = server.spec();
  if (!is_valid(s) ||
      (target != nullptr && system.find_model(s.model) != nullptr && !is_valid(*target))) {
    d.problem = "a number of the server or its target is out of range";
  } else if (service_class == nullptr) {
    d.problem = "the service class is unknown";
  } else if (system.find_model(s.model) == nullptr) {
    d.problem = "the model is unknown";
  } else if (target == nullptr) {
    d.problem = "the service class has no target for the model";
  }
  if (!d.problem.empty()) return d;
  d.targets = {target->itl_ms, target->ttft_ms, target->ttft_percentile, target->e2e_ms,
               target->drop};
  d.has_tps_target = target->tps > 0;
  const LoadSpec& load = s.current_alloc.load;
  if (load.arrival_rate_per_min == 0 || load.avg_out_tokens == 0) {
    d.kind = s.min_num_replicas > 0 ? Demand::Kind::kIdle : Demand::Kind::kEmpty;
    return d;
  }
  d.kind = Demand::Kind::kLoaded;
  const double rate =
      d.has_tps_target ? target->tps / static_cast<double>(load.avg_out_tokens) / kTokensPerSecond
                       : load.arrival_rate_per_min / kMsPerMinute;
  d.rate_per_ms = std::max(rate, kLeastRatePerMs);
  return d;
}

bool excludes(const System& system, const ServerSpec& server, const std::string& accelerator) {
  if (lists(server.excluded_accelerators, accelerator)) return true;
  const std::string class_name =
      server.class_name.empty() ? std::string(kDefaultClassName) : server.class_name;
  const ServiceClass* service_class = system.find_service_class(class_name);
  if (service_class != nullptr && lists(service_class->excluded_accelerators(), accelerator)) {
    return true;
  }
  const std::vector<AllocationPart>& parts = server.current_alloc.parts;
  if (!server.keep_accelerator || parts.empty()) return false;
  return std::none_of(parts.begin(), parts.end(),
                      [&](const AllocationPart& part) { return part.accelerator == accelerator; });
}

bool must_stay(const ServerSpec& server) {
  return server.keep_accelerator && !server.current_alloc.accelerator.empty() &&
         server.current_alloc.parts.empty();
}

std::optional<Supply> read_supply(const AcceleratorSpec& accelerator, const ModelPerfSpec& data) {
  const PerfParms& p = data.perf_parms;
  if (!is_amount(p.alpha_ms) || !is_amount(p.beta_ms) || !is_amount(p.gamma_ms) ||
      !is_amount(accelerator.cost_cents_per_hour) || !is_count(data.acc_count) ||
      !is_count(data.max_batch_size) || !is_count(data.at_tokens) ||
      !is_count(data.max_num_tokens) || accelerator.multiplicity < 1) {
    return std::nullopt;
  }
  Supply supply{&accelerator, &data, std::max<std::int64_t>(1, data.acc_count)};
  if (supply.instances > kMaxCount / accelerator.multiplicity) return std::nullopt;
  supply.cards = supply.instances * accelerator.multiplicity;
  supply.cost = accelerator.cost_cents_per_hour * static_cast<double>(supply.instances);
  return supply;
}

std::int64_t batch_ceiling(const Demand& demand, const Supply& supply) {
  if (demand.server->max_batch_size > 0) return demand.server->max_batch_size;
  const ModelPerfSpec& data = *supply.data;
  if (demand.kind != Demand::Kind::kLoaded) return data.max_batch_size;
  // Both factors are at most kMaxCount, so that the product is exact.
  const std::int64_t tokens = data.max_batch_size * data.at_tokens;
  return std::max<std::int64_t>(1, tokens / demand.server->current_alloc.load.avg_out_tokens);
}

bool can_serve(const Demand& demand, const Supply& supply) {
  const PerfParms& p = supply.data->perf_parms;
  return std::max({p.alpha_ms, p.beta_ms, p.gamma_ms}) >= kLeastParameterMs &&
         batch_ceiling(demand, supply) <= kMaxBatchSize;
}

QueueShape replica_queue(const Demand& demand, const Supply& supply, std::int64_t max_batch) {
  const ServerSpec& s = *demand.server;
  std::int64_t budget = s.max_num_tokens;
  if (budget == 0) budget = supply.data->max_num_tokens;
  if (budget == 0) budget = kDefaultMaxNumTokens;
  const PerfParms& p = supply.data->perf_parms;
  const LoadSpec& load = s.current_alloc.load;
  return {{p.alpha_ms, p.beta_ms, p.gamma_ms, static_cast<double>(load.avg_in_tokens),
           static_cast<double>(load.avg_out_tokens), static_cast<double>(budget)},
          max_batch,
          s.max_queue_size};
}

std::optional<std::int64_t> replicas_for(double rate_per_ms, double goodput_per_ms) {
  const double replicas = std::ceil(rate_per_ms / goodput_per_ms);
  if (!(replicas <= static_cast<double>(kMaxReplicas))) return std::nullopt;
  return static_cast<std::int64_t>(replicas);
}

double replicas_power_w(const Supply& supply, std::int64_t replicas, double rho) {
  const PowerSpec& p = supply.accelerator->power;
  const double u = std::clamp(rho, 0.0, 1.0);
  const auto between = [](double x, double x0, double y0, double x1, double y1) {
    return y0 + (x - x0) / (x1 - x0) * (y1 - y0);
  };
  double watts = 0;
  if (!(p.mid_util > 0 && p.mid_util < 1)) {
    watts = between(u, 0, p.idle_w, 1, p.full_w);
  } else if (u <= p.mid_util) {
    watts = between(u, 0, p.idle_w, p.mid_util, p.mid_power_w);
  } else {
    watts = between(u, p.mid_util, p.mid_power_w, 1, p.full_w);
  }
  return watts * static_cast<double>(supply.instances) * static_cast<double>(replicas);
}

Transition transition_to(const ServerSpec& server, std::string_view accelerator,
                         std::int64_t replicas, double cost) {
  const AllocationSpec& now = server.current_alloc;
  Transition t;
  t.moves = now.accelerator != accelerator;
  const bool other_count = now.num_replicas != replicas;
  // Nothing after nothing is no change, whatever accelerator the nothing is on.
  t.changed = replicas == 0 ? now.num_replicas != 0 : t.moves || other_count;
  t.value = value_of(t.moves, other_count, now.cost_cents_per_hour, cost);
  return t;
}

Transition transition_to(const ServerSpec& server, std::span<const Holding> parts, double cost) {
  const std::vector<AllocationPart>& now = server.current_alloc.parts;
  Transition t{true, true, 0};
  if (now.size() == parts.size()) {
    t.moves = t.changed = false;
    for (const AllocationPart& part : now) {
      const auto same = std::find_if(parts.begin(), parts.end(), [&](const Holding& holding) {
        return holding.first == part.accelerator;
      });
      if (same == parts.end()) {
        t.moves = t.changed = true;
      } else if (same->second != part.num_replicas) {
        t.changed = true;
      }
    }
  }
  t.value = value_of(t.moves, t.changed, server.current_alloc.cost_cents_per_hour, cost);
  return t;
}

double objective_of(const OptimizerSpec& optimizer, const ServerSpec& server,
                    const Transition& transition, double cost, double power_w) {
  const double cost_now = server.current_alloc.cost_cents_per_hour;
  const double surcharge = transition.moves ? transition.value - (cost - cost_now) : 0;
  const double kilowatts = power_w * optimizer.pue / 1000;
  return transition.value + (optimizer.transition_factor - 1) * surcharge +
         kilowatts * optimizer.energy_price_cents_per_kwh;
}

}  // namespace tonnage::verify
