// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact search over the options that reduced costs leave open, and a core problem around the LP
// relaxation where there are too many.
#include "host/select/price/proof/restricted_search.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "host/select/solver/choice_model.hpp"

namespace tonnage::price {
namespace {

// Bounds of a search that was cut short come from floating-point linear programs.
constexpr double kSearchTolerance = 1e-7;
// Options that the linear relaxation chooses among, and how many servers of a kind stand for all.
constexpr std::size_t kRelaxedOptions = 20000;
constexpr double kFavour = 1e-8;  // of the largest objective
constexpr double kShare = 1e-6;   // less of an option is none
constexpr std::size_t kPerKind = 6;

// The stage of unserved servers, not that of value.
bool counts_servers(const Stage& stage) { return stage.value_weight == 0; }

// An option of a server, kNone included, and what it costs above the server's cheapest.
struct Open {
  double regret;
  std::int64_t server;
  std::int64_t option;
};

bool by_server(const Open& a, const Open& b) {
  return a.server != b.server ? a.server < b.server : a.option < b.option;
}
bool by_regret(const Open& a, const Open& b) {
  return a.regret != b.regret ? a.regret < b.regret : by_server(a, b);
}

// Everything of regret at most `slack`, by server. Each server's cheapest option is among them. The
// table has values as the stage weighs them.
std::vector<Open> list_open(const Table& table, const Stage& stage, const Prices& prices,
                            double slack) {
  std::vector<Open> open;
  for (std::int64_t p = 0; p < table.first_server[stage.num_classes]; ++p) {
    const double skip = prices.skip[table.class_of[p]];
    const double least = std::min(skip, cheapest_option(table, 1, prices.resource, p).cost);
    const auto add = [&](std::int64_t option, double cost) {
      if (cost - least <= slack) open.push_back({cost - least, p, option});
    };
    add(Assignment::kNone, skip);
    for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
      add(o, table.cost_of(table.options[o], 1, prices.resource));
    }
  }
  return open;
}

// Calls body(first, last) for the stretch of each server.
template <class Body>
void for_servers(const std::vector<Open>& open, const Body& body) {
  for (std::size_t first = 0, last; first < open.size(); first = last) {
    last = first + 1;
    while (last < open.size() && open[last].server == open[first].server) ++last;
    body(first, last);
  }
}

std::size_t count_ambiguous(const std::vector<Open>& open) {
  std::size_t count = 0;
  for_servers(open, [&](std::size_t first, std::size_t last) {
    if (last - first > 1) count += last - first;
  });
  return count;
}

// Leaves the options of least regret that let servers choose among at most about `most`.
void keep_cheapest(std::vector<Open>& open, std::size_t most) {
  std::vector<double> regrets;
  for (const Open& o : open) {
    if (o.regret > 0) regrets.push_back(o.regret);
  }
  // An option with a regret brings the one without.
  const std::size_t rank = std::min(most / 2, regrets.empty() ? 0 : regrets.size() - 1);
  double limit = 0;
  if (!regrets.empty()) {
    const auto at = regrets.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(regrets.begin(), at, regrets.end());
    limit = *at;
  }
  std::erase_if(open, [limit](const Open& o) { return o.regret > limit; });
}

// A choice for some servers while the others stay as they are in `base`.
class Core {
 public:
  Core(const Table& table, const Stage& stage, const Assignment& base)
      : table_(table), stage_(stage), base_(base) {
    for (std::int32_t r = 0; r < table.num_resources; ++r) model.capacity.push_back(base.left(r));
    model.first.push_back(0);
    model.least_served.assign(static_cast<std::size_t>(stage.num_classes), 0);
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (stage.may_skip[k] == Stage::kNoLimit) continue;
      model.least_served[k] = base.skipped(k) - stage.may_skip[k];
    }
  }

  // The server may choose among some options (ascending; going without is always possible).
  void add(std::int64_t server, const std::vector<std::int64_t>& options) {
    const std::int32_t rank = table_.class_of[server];
    const std::int64_t now = base_.option_of(server);
    double dearest = 0;
    start.push_back(-1);
    for (const std::int64_t o : options) {
      const FlatOption& option = table_.options[o];
      if (o == now) start.back() = static_cast<std::int64_t>(source.size());
      source.push_back(o);
      model.objective.push_back(counts_servers(stage_) ? 0 : option.value);
      model.cards.push_back(option.whole_cards());
      model.type.push_back(option.type < table_.num_resources ? option.type : -1);
      add_uses(table_, option, model);
      dearest = std::max(dearest, model.objective.back());
    }
    if (now != Assignment::kNone) {
      table_.for_uses(table_.options[now], [&](std::int32_t r, double amount) {
        if (r < table_.num_resources) model.capacity[r] += static_cast<std::int64_t>(amount);
      });
      if (stage_.may_skip[rank] != Stage::kNoLimit) ++model.least_served[rank];
    }
    model.first.push_back(static_cast<std::int64_t>(source.size()));
    model.item_class.push_back(rank);
    // Where all must be served, skipping one must not be attractive.
    model.skip_objective.push_back(stage_.is_forced(rank) ? dearest : stage_.skip_cost[rank]);
    servers.push_back(server);
  }

  [[nodiscard]] Assignment with(const std::vector<std::int64_t>& chosen) const {
    Assignment assignment = base_;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      assignment.put(servers[i], chosen[i] < 0 ? Assignment::kNone : source[chosen[i]]);
    }
    return assignment;
  }
  [[nodiscard]] std::int64_t option_of(std::int64_t server) const {
    return base_.option_of(server);
  }
  // What the servers of the core add to the objective of `base`.
  [[nodiscard]] double start_objective() const {
    double sum = 0;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      sum += start[i] < 0 ? stage_.skip_cost[model.item_class[i]] : model.objective[start[i]];
    }
    return sum;
  }

  ChoiceModel model;
  std::vector<std::int64_t> servers, source, start;

 private:
  const Table& table_;
  const Stage& stage_;
  const Assignment& base_;
};

class Searcher {
 public:
  Searcher(const Table& table, const Stage& stage) : table_(table), stage_(stage) {}

  // Servers with a choice among open options choose anew, all others stay as they are.
  [[nodiscard]] Core core_of(const std::vector<Open>& open, const Assignment& assignment) const {
    Core core(table_, stage_, assignment);
    for_servers(open, [&](std::size_t first, std::size_t last) {
      const std::int64_t now = assignment.option_of(open[first].server);
      if (last - first > 1 || open[first].option != now) add(open, first, last, core);
    });
    return core;
  }

  // What the linear relaxation over the cheapest open options would have otherwise. Empty if it has
  // no solution.
  [[nodiscard]] std::vector<Open> wishes(std::vector<Open> open,
                                         const Assignment& assignment) const {
    keep_cheapest(open, kRelaxedOptions);
    if (count_ambiguous(open) > 2 * kRelaxedOptions) return {};
    Core core = core_of(open, assignment);
    // Among equals it shall have what the plan has.
    double largest = 0;
    for (const double o : core.model.objective) largest = std::max(largest, std::abs(o));
    const double favour = kFavour * (largest > 0 ? largest : 1);
    for (std::size_t i = 0; i < core.start.size(); ++i) {
      (core.start[i] < 0 ? core.model.skip_objective[i] : core.model.objective[core.start[i]]) -=
          favour;
    }
    const std::vector<double> shares = relax_choice(core.model);
    std::vector<Open> wishes;
    if (shares.empty()) return wishes;
    for (std::size_t i = 0; i < core.servers.size(); ++i) {
      double served = 0;
      for (std::int64_t o = core.model.first[i]; o < core.model.first[i + 1]; ++o) {
        served += shares[o];
        if (shares[o] > kShare && o != core.start[i]) {
          wishes.push_back({0, core.servers[i], core.source[o]});
        }
      }
      if (served < 1 - kShare && core.start[i] >= 0) {
        wishes.push_back({0, core.servers[i], Assignment::kNone});
      }
    }
    return wishes;
  }

  // The wishes, and with them as many more changes as there is room for: the cheapest, a few of
  // each kind, since servers that would do the same stand for each other.
  [[nodiscard]] Core small_core(std::vector<Open> open, const std::vector<Open>& wishes,
                                const Assignment& assignment, std::size_t max_options) const {
    using Place = std::pair<std::int32_t, std::int64_t>;
    const auto place = [&](std::int64_t option) -> Place {
      if (option == Assignment::kNone) return {-1, 0};
      return {table_.options[option].type, table_.options[option].whole_cards()};
    };
    std::sort(open.begin(), open.end(), by_regret);
    std::vector<Open> chosen = wishes;
    std::vector<bool> wishing(static_cast<std::size_t>(assignment.num_servers()), false);
    for (const Open& wish : wishes) wishing[wish.server] = true;
    std::map<std::pair<Place, Place>, std::size_t> kinds;
    for (const Open& o : open) {
      if (chosen.size() >= max_options / 2) break;
      const std::int64_t now = assignment.option_of(o.server);
      if (o.option == now) continue;
      if (!wishing[o.server] && ++kinds[{place(now), place(o.option)}] > kPerKind) continue;
      chosen.push_back(o);
    }
    std::sort(chosen.begin(), chosen.end(), by_server);
    const auto same = [](const Open& a, const Open& b) {
      return a.server == b.server && a.option == b.option;
    };
    chosen.erase(std::unique(chosen.begin(), chosen.end(), same), chosen.end());
    return core_of(chosen, assignment);
  }

 private:
  void add(const std::vector<Open>& open, std::size_t first, std::size_t last, Core& core) const {
    std::vector<std::int64_t> options;
    for (std::size_t i = first; i < last; ++i) {
      if (open[i].option != Assignment::kNone) options.push_back(open[i].option);
    }
    const std::int64_t now = core.option_of(open[first].server);
    if (now != Assignment::kNone &&
        std::find(options.begin(), options.end(), now) == options.end()) {
      options.push_back(now);
      std::sort(options.begin(), options.end());
    }
    if (!options.empty()) core.add(open[first].server, options);
  }

  const Table& table_;
  const Stage& stage_;
};

}  // namespace

void add_uses(const Table& table, const FlatOption& option, ChoiceModel& model) {
  const auto index = static_cast<std::int64_t>(model.objective.size()) - 1;
  bool further = false;
  table.for_uses(option, [&](std::int32_t r, double amount) {
    if (further) model.uses.push_back({index, r, static_cast<std::int64_t>(amount)});
    further = true;
  });
}

double objective_of(const Table& table, const Stage& stage, const Assignment& assignment) {
  double objective = counts_servers(stage) ? 0 : stage.value_weight * assignment.value(table);
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    objective += stage.skip_cost[k] * static_cast<double>(assignment.skipped(k));
  }
  return objective;
}

Progress solve_rest(const Table& table, const Stage& stage, const Relaxed& relaxed,
                    const RestLimits& limits, Assignment& assignment, Proof& proof) {
  const bool counts = counts_servers(stage);
  // In a better plan no server's regret exceeds what lies between that plan and the bound.
  const double gap = proof.objective - relaxed.bound;
  const double slack = counts ? gap - 1 + 1e-6 : gap * (1 + 1e-9);
  if (slack < 0) return Progress::kSettled;
  const Searcher searcher(table, stage);
  std::vector<Open> open = list_open(with_cut_prices(table, stage.value_weight, relaxed.cut_prices),
                                     stage, relaxed.prices, slack);
  ExactLimits exact;
  exact.absolute_gap = counts ? 1 - 1e-6 : 0;
  const std::size_t ambiguous = count_ambiguous(open);
  const bool whole = ambiguous <= limits.max_whole;
  exact.max_work = whole ? limits.exact_work : limits.other_work;
  if (!whole && limits.max_options == 0) return Progress::kStuck;
  std::optional<Core> core;
  if (whole) {
    core.emplace(searcher.core_of(open, assignment));
  } else {
    const std::vector<Open> wishes = searcher.wishes(open, assignment);
    core.emplace(searcher.small_core(std::move(open), wishes, assignment, limits.max_options));
  }
  const double others = objective_of(table, stage, assignment) - core->start_objective();
  ChoiceAnswer answer{true, true, true, 0, 0, {}};
  if (!core->servers.empty()) {
    // A search that knows the plan proves more, one that does not finds more.
    answer = solve_exactly(core->model, exact, whole ? core->start : std::vector<std::int64_t>{});
  }
  if (whole && !answer.proven && !counts && limits.bound_work > 0) {
    exact.max_work = limits.bound_work;
    exact.bound_first = true;
    ChoiceAnswer next =
        solve_exactly(core->model, exact, answer.feasible ? answer.chosen : core->start);
    next.bound = std::max(next.bound, std::min(answer.bound, next.objective));
    answer = std::move(next);
  }
  const double before = proof.objective;
  if (answer.feasible) {
    const Assignment next = core->with(answer.chosen);
    if (next.is_feasible() && is_better(table, next, assignment)) assignment = next;
  }
  proof.objective = objective_of(table, stage, assignment);
  if (whole) {
    double bound = proof.objective;
    if (!answer.proven) {
      bound =
          std::min(bound, others + answer.bound -
                              kSearchTolerance * (1 + std::abs(others) + std::abs(answer.bound)));
    }
    proof.bound = std::max(proof.bound, bound);
    return Progress::kSettled;
  }
  return proof.objective < before ? Progress::kBetter : Progress::kStuck;
}

}  // namespace tonnage::price
