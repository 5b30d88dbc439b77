// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact choice: reduces a stage to its useful options, states it as a 0-1 program, and checks every
// solution in whole cards.
#include "host/select/solver/choice_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "host/options/undominated.hpp"
#include "host/select/solver/integer_program.hpp"
#include "tonnage/core/elementary.hpp"

namespace tonnage {
namespace {

using Options = std::vector<std::vector<std::int64_t>>;  // per item

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

// The nearest doubles not above and not below a count. Capacity rows are rounded up, so that they
// permit no less than whole cards do.
double not_above(std::int64_t count) {
  const auto d = static_cast<double>(count);
  return static_cast<long double>(d) > static_cast<long double>(count) ? std::nextafter(d, 0.0) : d;
}
double not_below(std::int64_t count) {
  const auto d = static_cast<double>(count);
  return static_cast<long double>(d) < static_cast<long double>(count)
             ? std::nextafter(d, kInfinity)
             : d;
}

// The model in exact arithmetic: whole cards and servers.
class Stage {
 public:
  explicit Stage(const ChoiceModel& model) : model_(model) {
    for (const std::int64_t c : model.capacity) capacities_.push_back(std::max<std::int64_t>(0, c));
    if (model.uses.empty()) return;
    first_use_.assign(model.objective.size() + 1, 0);
    for (const ChoiceModel::Use& use : model.uses) ++first_use_[use.option + 1];
    std::partial_sum(first_use_.begin(), first_use_.end(), first_use_.begin());
  }

  [[nodiscard]] bool must_serve(std::size_t item) const {
    const auto c = static_cast<std::size_t>(model_.item_class[item]);
    return c < model_.least_served.size() && model_.least_served[c] > 0;
  }
  [[nodiscard]] std::int64_t cards(std::int64_t option) const {
    return model_.type[option] < 0 ? 0 : model_.cards[option];
  }
  [[nodiscard]] std::int64_t capacity(std::size_t resource) const { return capacities_[resource]; }
  [[nodiscard]] std::span<const ChoiceModel::Use> uses(std::int64_t option) const {
    if (first_use_.empty()) return {};
    return std::span(model_.uses)
        .subspan(first_use_[option], first_use_[option + 1] - first_use_[option]);
  }
  // Calls body(resource, amount) for every use of an option.
  template <class Body>
  void for_taken(std::int64_t option, const Body& body) const {
    if (cards(option) > 0) body(model_.type[option], cards(option));
    for (const ChoiceModel::Use& use : uses(option)) body(use.resource, use.amount);
  }
  [[nodiscard]] bool fits(std::int64_t option, const std::vector<std::int64_t>& left) const {
    bool fits = true;
    for_taken(option, [&](std::int32_t r, std::int64_t a) { fits = fits && a <= left[r]; });
    return fits;
  }

  [[nodiscard]] bool holds(const std::vector<std::int64_t>& chosen) const {
    if (static_cast<std::int64_t>(chosen.size()) != model_.num_items()) return false;
    std::vector<std::int64_t> used(model_.capacity.size(), 0);
    std::vector<std::int64_t> served(model_.least_served.size(), 0);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::int64_t o = chosen[i];
      if (o < 0) continue;
      if (o < model_.first[i] || o >= model_.first[i + 1]) return false;
      for_taken(o, [&](std::int32_t r, std::int64_t a) { used[r] = saturating_add(used[r], a); });
      const auto c = static_cast<std::size_t>(model_.item_class[i]);
      if (c < served.size()) ++served[c];
    }
    for (std::size_t r = 0; r < used.size(); ++r) {
      if (used[r] > capacities_[r]) return false;
    }
    for (std::size_t c = 0; c < served.size(); ++c) {
      if (served[c] < model_.least_served[c]) return false;
    }
    return true;
  }

  [[nodiscard]] double objective(const std::vector<std::int64_t>& chosen) const {
    double sum = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      sum += chosen[i] < 0 ? model_.skip_objective[i] : model_.objective[chosen[i]];
    }
    return sum;
  }

  // Whether option `a` dominates option `b` of the same item.
  [[nodiscard]] bool beats(std::int64_t a, std::int64_t b) const {
    bool beats = model_.objective[a] <= model_.objective[b];
    for_taken(a, [&](std::int32_t r, std::int64_t amount) {
      std::int64_t others = 0;
      for_taken(b, [&](std::int32_t q, std::int64_t other) { others = q == r ? other : others; });
      beats = beats && amount <= others;
    });
    return beats;
  }

  // The useful options of an item, least objective first: those that fit at all and that neither
  // another option nor taking none dominates.
  [[nodiscard]] std::vector<std::int64_t> useful_options(std::size_t item) const {
    const double skip = must_serve(item) ? kInfinity : model_.skip_objective[item];
    std::vector<std::int64_t> sorted;
    for (std::int64_t o = model_.first[item]; o < model_.first[item + 1]; ++o) {
      if (model_.objective[o] < skip && fits(o, capacities_)) sorted.push_back(o);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [&](std::int64_t a, std::int64_t b) {
      const double oa = model_.objective[a], ob = model_.objective[b];
      return oa != ob ? oa < ob : cards(a) < cards(b);
    });
    std::vector<std::int64_t> kept;
    Undominated undominated;
    std::vector<Undominated::Taken> taken;
    for (const std::int64_t o : sorted) {
      taken.clear();
      for_taken(o, [&](std::int32_t r, std::int64_t amount) { taken.push_back({r, amount}); });
      if (undominated.keep(taken)) kept.push_back(o);
    }
    return kept;
  }

  // A solution of useful options that is no worse than `chosen`.
  [[nodiscard]] std::vector<std::int64_t> improved(std::vector<std::int64_t> chosen,
                                                   const Options& useful) const {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] < 0) continue;
      const auto found = std::find_if(useful[i].begin(), useful[i].end(),
                                      [&](std::int64_t o) { return beats(o, chosen[i]); });
      chosen[i] = found != useful[i].end() ? *found : -1;
    }
    return chosen;
  }

  // A greedy solution: item by item the first useful option that fits.
  [[nodiscard]] std::vector<std::int64_t> filled(const Options& useful) const {
    std::vector<std::int64_t> left = capacities_;
    std::vector<std::int64_t> chosen(useful.size(), -1);
    for (std::size_t i = 0; i < useful.size(); ++i) {
      const auto found = std::find_if(useful[i].begin(), useful[i].end(),
                                      [&](std::int64_t o) { return fits(o, left); });
      if (found == useful[i].end()) continue;
      chosen[i] = *found;
      for_taken(*found, [&](std::int32_t r, std::int64_t amount) { left[r] -= amount; });
    }
    return chosen;
  }

 private:
  const ChoiceModel& model_;
  std::vector<std::int64_t> capacities_;  // [resources] none below 0
  std::vector<std::size_t> first_use_;    // [options + 1]; empty: no uses
};

// The stage as a 0-1 program over the useful options, with objectives relative to taking none.
class Program {
 public:
  Program(const ChoiceModel& model, const Stage& stage, const Options& useful) {
    std::vector<IntegerProgram::Row> of_class(model.least_served.size());
    using Entry = std::pair<std::int32_t, std::int64_t>;  // column, amount
    std::vector<std::vector<Entry>> of_resource(model.capacity.size());
    std::vector<std::int64_t> demand(model.capacity.size(), 0), most(model.capacity.size(), 0);
    for (std::size_t i = 0; i < useful.size(); ++i) {
      skip_sum_ += model.skip_objective[i];
      whole_ = whole_ && is_whole(model.skip_objective[i]);
      IntegerProgram::Row choice;
      for (const std::int64_t o : useful[i]) {
        const auto column = static_cast<std::int32_t>(option_.size());
        option_.push_back(o);
        item_.push_back(i);
        program_.objective.push_back(model.objective[o] - model.skip_objective[i]);
        whole_ = whole_ && is_whole(program_.objective.back());
        choice.entries.emplace_back(column, 1.0);
        if (stage.must_serve(i)) of_class[model.item_class[i]].entries.emplace_back(column, 1.0);
        stage.for_taken(o, [&](std::int32_t r, std::int64_t amount) {
          of_resource[r].emplace_back(column, amount);
          most[r] = std::max(most[r], amount);
        });
      }
      for (const std::int64_t o : useful[i]) {
        stage.for_taken(o, [&](std::int32_t r, std::int64_t) {
          demand[r] = saturating_add(demand[r], most[r]);
          most[r] = 0;
        });
      }
      choice.upper = 1;
      if (choice.entries.size() > 1) program_.rows.push_back(std::move(choice));
    }
    for (std::size_t r = 0; r < of_resource.size(); ++r) {
      if (demand[r] > stage.capacity(r)) add_capacity(of_resource[r], stage.capacity(r));
    }
    for (std::size_t c = 0; c < of_class.size(); ++c) {
      if (model.least_served[c] <= 0) continue;
      of_class[c].lower = static_cast<double>(model.least_served[c]);
      program_.rows.push_back(std::move(of_class[c]));
    }
  }

  [[nodiscard]] IntegerAnswer solve(const ExactLimits& limits, const ChoiceAnswer& known) const {
    std::vector<double> start;
    if (known.feasible) {
      for (std::size_t j = 0; j < option_.size(); ++j) {
        start.push_back(known.chosen[item_[j]] == option_[j] ? 1.0 : 0.0);
      }
    }
    return solve_integer_program(program_, limits, start);
  }

  [[nodiscard]] std::vector<double> shares(std::size_t options) const {
    const std::vector<double> x = relax_integer_program(program_);
    std::vector<double> shares(x.empty() ? 0 : options, 0.0);
    for (std::size_t j = 0; j < x.size(); ++j) shares[option_[j]] = x[j];
    return shares;
  }

  [[nodiscard]] std::vector<std::int64_t> chosen(const std::vector<double>& x,
                                                 std::size_t items) const {
    std::vector<std::int64_t> options(items, -1);
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (x[j] > 0.5) options[item_[j]] = option_[j];
    }
    return options;
  }

  // Bound of the whole stage, rounded up where every objective is a whole number.
  [[nodiscard]] double total_bound(double bound) const {
    return skip_sum_ + (whole_ ? std::ceil(bound) : bound);
  }

 private:
  static bool is_whole(double v) { return v == std::floor(v) && std::abs(v) < 1e9; }

  void add_capacity(const std::vector<std::pair<std::int32_t, std::int64_t>>& entries,
                    std::int64_t capacity) {
    std::int64_t divisor = 0;
    for (const auto& [column, amount] : entries) divisor = std::gcd(divisor, amount);
    IntegerProgram::Row row;
    for (const auto& [column, amount] : entries) {
      row.entries.emplace_back(column, not_above(amount / divisor));
    }
    row.upper = not_below(capacity / divisor);
    program_.rows.push_back(std::move(row));
  }

  IntegerProgram program_;
  std::vector<std::int64_t> option_;  // of a column
  std::vector<std::size_t> item_;     // of a column
  double skip_sum_ = 0;
  bool whole_ = true;
};

}  // namespace

bool has_exact_solver() noexcept { return true; }

ChoiceAnswer solve_exactly(const ChoiceModel& model, const ExactLimits& limits,
                           const std::vector<std::int64_t>& start) {
  const Stage stage(model);
  const auto items = static_cast<std::size_t>(model.num_items());
  Options useful(items);
  std::vector<std::int64_t> best(items, -1);  // of each item alone
  ChoiceAnswer answer;
  for (std::size_t i = 0; i < items; ++i) {
    useful[i] = stage.useful_options(i);
    const double skip = model.skip_objective[i];
    const double take = useful[i].empty() ? kInfinity : model.objective[useful[i].front()];
    answer.bound += std::min(skip, take);
    if (!useful[i].empty()) best[i] = useful[i].front();
  }
  const auto offer = [&](const std::vector<std::int64_t>& chosen) {
    if (!stage.holds(chosen)) return;
    const double objective = stage.objective(chosen);
    if (answer.feasible && objective >= answer.objective) return;
    answer.feasible = true;
    answer.objective = objective;
    answer.chosen = chosen;
  };
  if (stage.holds(start)) offer(stage.improved(start, useful));
  offer(best);  // all items at their best: no search is needed
  // A floating-point solution may exceed whole cards.
  offer(stage.filled(useful));

  double tolerance = 0;
  answer.finished = true;
  if (!answer.feasible || answer.objective - answer.bound > limits.absolute_gap) {
    const Program program(model, stage, useful);
    const IntegerAnswer found = program.solve(limits, answer);
    tolerance = found.tolerance;
    answer.finished = found.finished;
    offer(program.chosen(found.x, found.x.empty() ? 0 : items));
    answer.bound = std::max(answer.bound, program.total_bound(found.bound));
    // Only a search without a start proves infeasibility by finding nothing.
    if (!answer.feasible && found.finished && found.x.empty()) answer.bound = kInfinity;
  }
  if (!answer.feasible) {
    answer.objective = kInfinity;
    answer.proven = answer.bound == kInfinity;
    return answer;
  }
  answer.bound = std::min(answer.bound, answer.objective);
  answer.proven = answer.objective - answer.bound <= limits.absolute_gap + tolerance;
  return answer;
}

std::vector<double> relax_choice(const ChoiceModel& model) {
  const Stage stage(model);
  Options useful;
  for (std::size_t i = 0; i < static_cast<std::size_t>(model.num_items()); ++i) {
    useful.push_back(stage.useful_options(i));
  }
  return Program(model, stage, useful).shares(model.objective.size());
}

}  // namespace tonnage
