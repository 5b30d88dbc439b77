#include "host/verify/bounds.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "host/plan/planning.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

struct BoundCheck::Candidates {
  Problem problem;
  OptionTable table;
  std::vector<Limit> limits;
  std::set<std::string> servers;
};

BoundCheck::BoundCheck(const System& system, const OptimizerSpec& optimizer, BatchMode batch)
    : candidates_(std::make_unique<Candidates>()) {
  Candidates& c = *candidates_;
  c.problem = build_rows(system, 0);
  SearchOptions options;
  options.batch = batch;
  std::vector<LineOutcome> outcomes = select_backend("cpu")->search(c.problem, options).lines;
  Offers offers = offer_options(c.problem, optimizer, outcomes, true, 0);
  c.table = std::move(offers.table);
  c.limits = std::move(offers.limits);
  for (std::int64_t s = 0; s < c.table.num_servers(); ++s) {
    if (c.table.first[s] < c.table.first[s + 1]) c.servers.insert(c.problem.server_names[s]);
  }
}

BoundCheck::~BoundCheck() = default;

bool BoundCheck::has_candidates(const std::string& server) const {
  return candidates_->servers.contains(server);
}

double BoundCheck::bound(const StageClaims& stage, const StageTruth& truth) const {
  const OptionTable& table = candidates_->table;
  const Problem& problem = candidates_->problem;
  const auto price_of_type = [&](std::size_t t) {
    const auto found = stage.type_prices.find(problem.type_names[t]);
    return found == stage.type_prices.end() ? 0.0 : std::max(0.0, found->second);
  };
  const auto price_of_limit = [&](std::size_t l) {
    const auto found = stage.limit_prices.find(std::string(candidates_->limits[l].name()));
    const double price = found == stage.limit_prices.end() ? 0.0 : std::max(0.0, found->second);
    return price * candidates_->limits[l].unit;
  };
  const auto price_of_class = [&](int priority) {
    const auto found = stage.class_prices.find(priority);
    return found == stage.class_prices.end() ? 0.0 : std::max(0.0, found->second);
  };
  double sum = 0;
  for (std::int64_t s = 0; s < table.num_servers(); ++s) {
    const int priority = table.priority[s];
    if (table.first[s] == table.first[s + 1]) continue;
    if (stage.priority && priority > *stage.priority) continue;
    double least = stage.priority == priority ? 1 : 0;  // without an allocation
    for (std::int64_t o = table.first[s]; o < table.first[s + 1]; ++o) {
      const Option& option = table.options[o];
      double cost = stage.priority ? 0 : option.objective;
      bool fits = option.type < 0 || option.cards() <= table.capacity[option.type];
      if (option.type >= 0)
        cost += static_cast<double>(option.cards()) * price_of_type(option.type);
      for (const Use& use : table.uses_of(option)) {
        fits = fits && use.whole <= table.available(use.resource);
        const std::size_t resource = static_cast<std::size_t>(use.resource);
        cost +=
            static_cast<double>(use.whole) *
            (resource < table.capacity.size() ? price_of_type(resource)
                                              : price_of_limit(resource - table.capacity.size()));
      }
      if (!fits) continue;
      least = std::min(least, cost - price_of_class(priority));
    }
    sum += least;
  }
  for (std::size_t t = 0; t < table.capacity.size(); ++t) {
    sum -= price_of_type(t) * static_cast<double>(table.capacity[t]);
  }
  for (std::size_t l = 0; l < table.limits.size(); ++l) {
    sum -= price_of_limit(l) * static_cast<double>(table.limits[l]);
  }
  for (const auto& [priority, served] : truth.served) {
    if (stage.priority && priority > *stage.priority) continue;
    sum += price_of_class(priority) * static_cast<double>(served);
  }
  return sum;
}

}  // namespace tonnage
