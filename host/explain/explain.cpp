// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Explains a plan: compares the options of each server with the chosen one at the prices of the
// plan, and says what would help an unserved server. The texts about pairs are in
// host/plan/reasons.cpp.
#include "tonnage/host/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/plan/planning.hpp"
#include "host/plan/reasons.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage {
namespace {

constexpr double kSame = 1e-6;  // cents/hour

class Explainer {
 public:
  Explainer(const System& system, const Planning& planning)
      : system_(system),
        planning_(planning),
        left_(left_by(planning.table, planning.selection.choices)) {}

  [[nodiscard]] Explanation explain(std::int64_t s) const {
    const Problem& problem = planning_.problem;
    const OptionTable& table = planning_.table;
    Explanation e;
    e.server = problem.server_names[s];
    e.priority = table.priority[s];
    const Choice& choice = planning_.selection.choices[s];
    for (std::int64_t o = table.first[s]; o < table.first[s + 1]; ++o) {
      e.options.push_back(option_of(o, choice));
    }
    e.outcome = outcome_of(choice);
    if (e.options.empty()) {
      explain_no_candidates(s, e);
    } else if (choice.option < 0 || is_partial(choice)) {
      explain_unserved(choice, e);
    } else {
      explain_served(choice.option - table.first[s], e);
    }
    return e;
  }

 private:
  [[nodiscard]] bool is_partial(const Choice& choice) const {
    return choice.num_replicas < planning_.table.options[choice.option].num_replicas;
  }
  [[nodiscard]] bool has_prices() const {
    return planning_.selection.type_prices.size() == planning_.table.capacity.size();
  }
  [[nodiscard]] double worth(const Option& option) const {
    const std::vector<double>& types = planning_.selection.type_prices;
    const std::vector<double>& limits = planning_.selection.limit_prices;
    const auto price = [&](std::int32_t r) {
      const auto t = static_cast<std::size_t>(r);
      return t < types.size() ? types[t] : limits[t - types.size()];
    };
    double sum = option.type < 0 ? 0 : static_cast<double>(option.cards()) * price(option.type);
    for (const Use& use : planning_.table.uses_of(option)) {
      sum += static_cast<double>(use.whole) * price(use.resource);
    }
    return sum;
  }
  [[nodiscard]] std::string name_of(const Option& option) const {
    if (option.num_replicas == 0) return "the empty allocation";
    return option_name(planning_, option);
  }

  // Cards that an option is short of if the server gives up its present ones.
  [[nodiscard]] std::int64_t lacking(const Option& option, const Choice& now) const {
    std::int64_t sum = 0;
    for (const auto& [type, cards] : planning_.table.cards_of(option))
      sum += lacking(type, cards, now);
    return sum;
  }
  [[nodiscard]] std::int64_t lacking(std::int32_t type, std::int64_t cards,
                                     const Choice& now) const {
    if (planning_.solver == Solver::kUnlimited) return 0;
    std::int64_t free = left_[type];
    if (now.option >= 0) {
      const Option& has = planning_.table.options[now.option];
      free += is_partial(now) ? (has.type == type ? now.num_replicas * has.cards_per_replica : 0)
                              : planning_.table.taken(has, type);
    }
    return std::max<std::int64_t>(0, cards - free);
  }
  [[nodiscard]] ExplainedOption option_of(std::int64_t o, const Choice& choice) const {
    const Option& option = planning_.table.options[o];
    ExplainedOption r;
    if (option.mix >= 0) {
      describe_mix(option, r);
    } else if (option.num_replicas > 0) {
      r.accelerator = planning_.problem.accelerators[option.accelerator].name();
      r.type = planning_.problem.type_names[option.type];
      r.max_batch = planning_.found.lines[option.line].max_batch;
    }
    if (option.mix < 0) r.num_replicas = option.num_replicas;
    r.name = name_of(option);
    for (const auto& [type, cards] : planning_.table.cards_of(option)) {
      r.cards += cards;
      const std::int64_t lack = lacking(type, cards, choice);
      if (lack == 0) continue;
      r.lack += fmt::format("{}{} of type {}", r.lack.empty() ? "" : " and ",
                            counted(lack, "more card"), planning_.problem.type_names[type]);
    }
    r.cost = option.cost;
    r.value = option.value;
    r.objective = option.objective;
    if (has_prices()) r.priced_value = option.objective + worth(option);
    r.cards_lacking = lacking(option, choice);
    r.chosen = o == choice.option;
    if (r.chosen) {
      r.note = is_partial(choice) ? fmt::format("chosen in part: {} of {}", choice.num_replicas,
                                                counted(option.num_replicas, "replica"))
                                  : "chosen";
      return r;
    }
    if (r.cards_lacking > 0) {
      r.note = "short by " + counted(r.cards_lacking, "card");
      return r;
    }
    const bool whole = choice.option >= 0 && !is_partial(choice);
    const Option* has = choice.option < 0 ? nullptr : &planning_.table.options[choice.option];
    if (whole && option.objective >= has->objective - kSame) {
      r.note = "not cheaper";
      return r;
    }
    r.limits_broken = broken_limits(planning_, option, has, left_);
    r.note = r.limits_broken.empty() ? "its cards serve other servers" : "needs " + r.limits_broken;
    return r;
  }

  void describe_mix(const Option& option, ExplainedOption& r) const {
    const Problem& problem = planning_.problem;
    for (const Mix::Part& part : planning_.table.mixes[option.mix].parts) {
      const PerfRow& perf = problem.perfs[problem.lines[part.line].perf];
      const std::string separator = r.accelerator.empty() ? "" : std::string(kPartSeparator);
      r.accelerator += separator + problem.accelerators[perf.accelerator].name();
      const std::string& type = problem.type_names[perf.type];
      if (r.type != type) r.type += separator + type;
      r.num_replicas += part.num_replicas;
      r.max_batch = std::max(r.max_batch, planning_.found.lines[part.line].max_batch);
    }
  }

  [[nodiscard]] std::string outcome_of(const Choice& choice) const {
    if (choice.option < 0) return "nothing";
    const Option& option = planning_.table.options[choice.option];
    if (!is_partial(choice)) return name_of(option);
    return fmt::format("{} of {}", choice.num_replicas, name_of(option));
  }

  void explain_served(std::int64_t chosen, Explanation& e) const {
    const ExplainedOption& mine = e.options[chosen];
    const auto cheaper = std::count_if(
        e.options.begin(), e.options.end(),
        [&](const ExplainedOption& o) { return o.objective < mine.objective - kSame; });
    if (cheaper == 0) {
      e.reason = "no other option is cheaper";
      return;
    }
    const ExplainedOption& best = e.options.front();
    e.reason =
        fmt::format("{} would save {:.2f} cents/hour", best.name, mine.objective - best.objective);
    if (has_prices() && *best.priced_value >= *mine.priced_value - kSame) {
      e.reason +=
          fmt::format(", but {} worth {:.2f} to other servers, those of the chosen one {:.2f}",
                      planning_.limits.empty() ? "its cards are" : "its resources are",
                      *best.priced_value - best.objective, *mine.priced_value - mine.objective);
    } else if (best.cards_lacking > 0) {
      e.reason += fmt::format(", but it needs {}", best.lack);
    } else if (!best.limits_broken.empty()) {
      e.reason += ", but it needs " + best.limits_broken;
    } else {
      e.reason += ", but no assignment of whole cards is better";
    }
  }

  void explain_unserved(const Choice& choice, Explanation& e) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < e.options.size(); ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return e.options[a].cards_lacking < e.options[b].cards_lacking;
    });
    const std::string remaining =
        planning_.limits.empty() ? "the remaining cards" : "the remaining cards and limits";
    if (choice.option < 0) {
      e.reason = "no option fits " + remaining;
    } else {
      const std::int64_t needed = planning_.table.options[choice.option].num_replicas;
      e.reason = fmt::format("{} carry only {} of {}", remaining, choice.num_replicas,
                             counted(needed, "replica"));
    }
    constexpr std::size_t kShown = 3;
    for (std::size_t i = 0; i < order.size() && i < kShown; ++i) {
      const ExplainedOption& o = e.options[order[i]];
      if (!o.limits_broken.empty()) {
        e.would_help.push_back(fmt::format("{} for {}", o.limits_broken, o.name));
        continue;
      }
      e.would_help.push_back(o.cards_lacking > 0
                                 ? fmt::format("{} for {}", o.lack, o.name)
                                 : fmt::format("the remaining {} of type {} for {}",
                                               counted(o.cards, "card"), o.type, o.name));
    }
  }

  void explain_no_candidates(std::int64_t s, Explanation& e) const {
    const Problem& problem = planning_.problem;
    const ServerRow& row = problem.servers[s];
    if (row.load_kind == LoadKind::kUnplannable) {
      e.reason = server_detail(system_, e.server, row.reason);
      return;
    }
    e.reason = no_candidates_detail(problem, planning_.found.lines, s);
    // The accelerators that miss by least, with the factor by which they miss a target.
    std::vector<std::pair<double, std::int64_t>> misses;
    for (std::int64_t i = problem.first_line[s]; i < problem.first_line[s + 1]; ++i) {
      const double ratio = miss_ratio(row, planning_.found.lines[i]);
      if (ratio > 0) misses.emplace_back(ratio, i);
    }
    std::stable_sort(misses.begin(), misses.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    constexpr std::size_t kShown = 3;
    for (std::size_t i = 0; i < misses.size() && i < kShown; ++i) {
      const auto& [ratio, line] = misses[i];
      const PerfRow& perf = problem.perfs[problem.lines[line].perf];
      e.would_help.push_back(fmt::format("a target {:.3g} times as high on {} ({})", ratio,
                                         problem.accelerators[perf.accelerator].name(),
                                         pair_detail(row, planning_.found.lines[line])));
    }
  }

  const System& system_;
  const Planning& planning_;
  std::vector<std::int64_t> left_;  // [resources]
};

}  // namespace

std::vector<Explanation> explain_plan(const System& system, const OptimizerSpec& optimizer,
                                      const std::string& server, const PlannerOptions& options) {
  if (!server.empty() && system.find_server(server) == nullptr) {
    throw Error(ErrorCode::kNotFound, "server \"" + server + "\" is unknown");
  }
  const Planning planning = run_planning(system, optimizer, options);
  const Explainer explainer(system, planning);
  std::vector<Explanation> result;
  for (std::int64_t s = 0; s < planning.table.num_servers(); ++s) {
    if (server.empty() || planning.problem.server_names[s] == server) {
      result.push_back(explainer.explain(s));
    }
  }
  return result;
}

}  // namespace tonnage
