// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Turns answers of lines into options: spare replicas, headroom, weights, limits and mixes. Owns:
// offer_options() and the whole units that limits are counted in.
#include "host/options/offers.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/parallel.hpp"
#include "host/options/mixes.hpp"

namespace tonnage {
namespace {

constexpr std::int64_t kOptionsPerChunk = 256;
constexpr std::int64_t kServersPerChunk = 1;  // one with many accelerators takes long
// A limit has at most kMostUnits units, so that sums stay exact and uses are precise to a
// trillionth of the limit. Units are at least kUsualUnit for limits above kLeastLimit. Below that
// units shrink with the limit, so that it still has kFewestUnits.
constexpr double kMostUnits = 1e12, kFewestUnits = 1e9;
constexpr double kUsualUnit = 1e-6;
constexpr double kLeastLimit = kUsualUnit * kFewestUnits;
constexpr double kFinestUnit = 1e-300;  // above the numbers that lose digits
// Relative rounding error of products and quotients of costs, at most.
constexpr double kRounding = 0x1p-50;

double unit_of(double amount) {
  if (!(amount > 0)) return kUsualUnit;
  if (amount < kLeastLimit) {
    return std::max(kFinestUnit, std::pow(10.0, std::floor(std::log10(amount / kFewestUnits))));
  }
  return std::max(kUsualUnit, std::pow(10.0, std::ceil(std::log10(amount / kMostUnits))));
}

// Units of a limit, rounded down, so that plans within the units are within the limit.
std::int64_t units_offered(double limit, double unit) {
  return static_cast<std::int64_t>(std::floor(limit / unit * (1 + kRounding)));
}

// Units that an amount takes, rounded up: a positive amount takes at least one, otherwise it would
// fit a limit of 0. Amounts beyond every limit are cut to kBeyondLimits.
std::int64_t units_taken(double amount, double unit) {
  return static_cast<std::int64_t>(
      std::ceil(std::min(amount / unit * (1 - kRounding), static_cast<double>(kBeyondLimits))));
}

// What an allocation uses of the quantities that limits bound.
struct Amounts {
  double cost;     // cents/hour
  double power_w;  // of the accelerators
  bool changed;
};

std::int64_t units_of(const Limit& limit, const Amounts& amounts, double pue) {
  switch (limit.kind) {
    case Limit::Kind::kCost:
      return units_taken(amounts.cost, limit.unit);
    case Limit::Kind::kPower:
      return units_taken(amounts.power_w * pue, limit.unit);
    case Limit::Kind::kChanges:
      return amounts.changed ? 1 : 0;
  }
  return 0;
}

void add_spares(const Problem& problem, std::int64_t spares, std::vector<LineOutcome>& outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const ServerRow& server = problem.servers[problem.lines[i].server];
    LineOutcome& outcome = outcomes[i];
    if (server.load_kind != LoadKind::kLoaded || !outcome.feasible()) continue;
    outcome.num_replicas += spares;
    if (server.max_replicas > 0 && outcome.num_replicas > server.max_replicas) {
      outcome.reason = Reason::kAboveMaxReplicas;
    }
  }
}

std::vector<Limit> limits_of(const OptimizerSpec& optimizer) {
  std::vector<Limit> limits;
  if (optimizer.max_cost_cents_per_hour) {
    const double most = *optimizer.max_cost_cents_per_hour;
    limits.push_back({Limit::Kind::kCost, most, unit_of(most)});
  }
  if (optimizer.max_power_w) {
    limits.push_back(
        {Limit::Kind::kPower, *optimizer.max_power_w, unit_of(*optimizer.max_power_w)});
  }
  if (optimizer.max_changes) {
    limits.push_back({Limit::Kind::kChanges, static_cast<double>(*optimizer.max_changes), 1});
  }
  return limits;
}

class Weighing {
 public:
  Weighing(const Problem& problem, const OptimizerSpec& optimizer,
           const std::vector<LineOutcome>& outcomes, Offers& offers)
      : problem_(problem), optimizer_(optimizer), outcomes_(outcomes), offers_(offers) {}

  void weigh(std::int64_t index) {
    Option& option = offers_.table.options[index];
    const LineRow& line = problem_.lines[option.line];
    const ServerRow& server = problem_.servers[line.server];
    const PerfRow& perf = problem_.perfs[line.perf];
    double power = 0, full_power = 0;
    if (optimizer_.weighs_power() && option.num_replicas > 0) {
      const Accelerator& accelerator = problem_.accelerators[perf.accelerator];
      LineOutcome outcome = outcomes_[option.line];
      outcome.num_replicas = option.num_replicas;
      power = allocation_power_w(server, perf, accelerator, outcome);
      full_power = static_cast<double>(perf.instances_per_replica) * accelerator.power_w(1);
    }
    const bool moves = server.current_accelerator != option.accelerator;
    option.objective =
        weighted_objective(optimizer_, server, moves, option.value, option.cost, power);
    if (offers_.limits.empty()) return;
    const auto num_limits = static_cast<std::int32_t>(offers_.limits.size());
    option.num_uses = num_limits;
    option.first_use = index * num_limits;
    const auto types = static_cast<std::int32_t>(offers_.table.capacity.size());
    const Amounts whole{option.cost, power,
                        is_change(server, option.accelerator, option.num_replicas)};
    const Amounts per_replica{perf.cost_per_replica, full_power, false};
    for (std::int32_t l = 0; l < num_limits; ++l) {
      const Limit& limit = offers_.limits[l];
      const double pue = optimizer_.pue;
      offers_.table.uses[option.first_use + l] = {
          types + l, units_of(limit, whole, pue),
          limit.kind == Limit::Kind::kChanges ? 1 : 0,  // any part of it counts as a change
          units_of(limit, per_replica, pue)};
    }
  }

 private:
  const Problem& problem_;
  const OptimizerSpec& optimizer_;
  const std::vector<LineOutcome>& outcomes_;
  Offers& offers_;
};

// Adds mixes to the options of every server.
class Mixing {
 public:
  Mixing(const Problem& problem, const OptimizerSpec& optimizer, Offers& offers)
      : problem_(problem), optimizer_(optimizer), offers_(offers) {}

  void mix(const MixOffers& mixes, int num_threads, const ProgressCallback& progress) {
    OptionTable& table = offers_.table;
    std::vector<std::vector<OfferedMix>> offered(static_cast<std::size_t>(table.num_servers()));
    parallel_chunks(
        table.num_servers(), kServersPerChunk, num_threads,
        [&](std::int64_t first, std::int64_t last) {
          for (std::int64_t s = first; s < last; ++s) offered[s] = mixes.of(s);
        },
        [&](std::int64_t done) {
          if (progress) progress("combining", done, table.num_servers());
        });
    std::vector<Option> options;
    std::vector<std::int64_t> starts{0};
    for (std::int64_t s = 0; s < table.num_servers(); ++s) {
      const auto first = options.size();
      options.insert(options.end(), table.options.begin() + table.first[s],
                     table.options.begin() + table.first[s + 1]);
      for (const OfferedMix& mix : offered[s]) options.push_back(option_of(mix));
      sort_options(std::span(options).subspan(first));
      starts.push_back(std::ssize(options));
    }
    table.options = std::move(options);
    table.first = std::move(starts);
  }

 private:
  Option option_of(const OfferedMix& offered) {
    OptionTable& table = offers_.table;
    const auto perf = [&](int i) -> const PerfRow& {
      return problem_.perfs[problem_.lines[offered.mix.parts[i].line].perf];
    };
    const auto cards = [&](int i) {
      return offered.mix.parts[i].num_replicas * perf(i).cards_per_replica;
    };
    Option option{};
    option.objective = offered.objective;
    option.value = offered.value;
    option.cost = offered.cost;
    option.num_replicas = 1;
    option.cards_per_replica = cards(0);
    option.line = offered.mix.parts[0].line;
    option.accelerator = perf(0).accelerator;
    option.type = perf(0).type;
    option.mix = static_cast<std::int32_t>(table.mixes.size());
    option.first_use = std::ssize(table.uses);
    table.mixes.push_back(offered.mix);
    const auto take = [&](std::int32_t resource, std::int64_t amount) {
      table.uses.push_back({resource, amount, 0, amount});
    };
    if (perf(1).type == option.type) {
      option.cards_per_replica += cards(1);
    } else {
      take(perf(1).type, cards(1));
    }
    const auto types = static_cast<std::int32_t>(table.capacity.size());
    const Amounts whole{offered.cost, offered.power_w, offered.changed};
    for (std::size_t l = 0; l < offers_.limits.size(); ++l) {
      take(types + static_cast<std::int32_t>(l),
           units_of(offers_.limits[l], whole, optimizer_.pue));
    }
    option.num_uses = static_cast<std::int32_t>(std::ssize(table.uses) - option.first_use);
    return option;
  }

  const Problem& problem_;
  const OptimizerSpec& optimizer_;
  Offers& offers_;
};

}  // namespace

std::string_view Limit::name() const {
  switch (kind) {
    case Kind::kCost:
      return "maxCost";
    case Kind::kPower:
      return "maxPower";
    case Kind::kChanges:
      return "maxChanges";
  }
  return "unknown";
}

double weighted_objective(const OptimizerSpec& optimizer, const ServerRow& server, bool moves,
                          double value, double cost, double power_w) {
  double objective = value;
  if (optimizer.transition_factor != 1 && moves) {
    const double plain = cost - server.current_cost;
    objective = plain + optimizer.transition_factor * (value - plain);
  }
  if (optimizer.energy_price_cents_per_kwh > 0) {
    objective += power_w / 1000 * optimizer.pue * optimizer.energy_price_cents_per_kwh;
  }
  return objective;
}

bool is_change(const ServerRow& server, std::int32_t accelerator, std::int64_t replicas) {
  if (replicas == 0) return server.current_replicas != 0;
  return server.current_accelerator != accelerator || server.current_replicas != replicas;
}

Offers offer_options(const Problem& problem, const OptimizerSpec& optimizer,
                     std::vector<LineOutcome>& outcomes, bool with_mixes, int num_threads,
                     const ProgressCallback& progress) {
  if (optimizer.spare_replicas > 0) add_spares(problem, optimizer.spare_replicas, outcomes);
  Offers offers;
  OptionTable& table = offers.table;
  table = build_options(problem, outcomes);
  for (std::int64_t& cards : table.capacity) {
    if (optimizer.unlimited && optimizer.has_limits()) {
      cards = static_cast<std::int64_t>(kMostUnits);
    } else if (optimizer.headroom > 0) {
      cards = static_cast<std::int64_t>(
          std::floor(static_cast<double>(cards) * (1 - optimizer.headroom) * (1 + 1e-12)));
    }
  }
  const bool weighted =
      optimizer.transition_factor != 1 || optimizer.energy_price_cents_per_kwh > 0;
  const auto mix = [&] {
    if (!with_mixes || !optimizer.heterogeneous) return;
    Mixing(problem, optimizer, offers).mix({problem, optimizer, outcomes}, num_threads, progress);
  };
  if (!weighted && !optimizer.has_limits()) {
    mix();
    return offers;
  }

  offers.limits = limits_of(optimizer);
  for (const Limit& limit : offers.limits) {
    table.limits.push_back(units_offered(limit.amount, limit.unit));
  }
  table.uses.resize(table.options.size() * offers.limits.size());
  Weighing weighing(problem, optimizer, outcomes, offers);
  parallel_chunks(std::ssize(table.options), kOptionsPerChunk, num_threads,
                  [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t o = first; o < last; ++o) weighing.weigh(o);
                  });
  if (weighted) {
    for (std::int64_t s = 0; s < table.num_servers(); ++s) {
      sort_options(
          std::span(table.options).subspan(table.first[s], table.first[s + 1] - table.first[s]));
    }
  }
  mix();
  return offers;
}

}  // namespace tonnage
