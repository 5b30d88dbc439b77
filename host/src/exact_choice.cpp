#include "exact_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "binary_program.hpp"

namespace tonnage {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Options = std::vector<std::vector<std::int64_t>>;  // per item

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

// The nearest doubles not above and not below a count: capacity rows are rounded so that they
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

// The model with its rules, counted in whole cards and servers.
class Stage {
 public:
  explicit Stage(const ChoiceModel& model) : model_(model) {}

  [[nodiscard]] bool must_serve(std::size_t item) const {
    const auto c = static_cast<std::size_t>(model_.item_class[item]);
    return c < model_.least_served.size() && model_.least_served[c] > 0;
  }
  [[nodiscard]] std::int64_t cards(std::int64_t option) const {
    return model_.type[option] < 0 ? 0 : model_.cards[option];
  }
  [[nodiscard]] std::int64_t capacity(std::int32_t type) const {
    return type < 0 ? 0 : std::max<std::int64_t>(0, model_.capacity[type]);
  }

  [[nodiscard]] bool holds(const std::vector<std::int64_t>& chosen) const {
    if (static_cast<std::int64_t>(chosen.size()) != model_.num_items()) return false;
    std::vector<std::int64_t> used(model_.capacity.size(), 0);
    std::vector<std::int64_t> served(model_.least_served.size(), 0);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::int64_t o = chosen[i];
      if (o < 0) continue;
      if (o < model_.first[i] || o >= model_.first[i + 1]) return false;
      if (cards(o) > 0) used[model_.type[o]] = saturating_add(used[model_.type[o]], cards(o));
      const auto c = static_cast<std::size_t>(model_.item_class[i]);
      if (c < served.size()) ++served[c];
    }
    for (std::size_t t = 0; t < used.size(); ++t) {
      if (used[t] > capacity(static_cast<std::int32_t>(t))) return false;
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

  // Whether taking `a` in place of `b` never hurts, both options of one item.
  [[nodiscard]] bool beats(std::int64_t a, std::int64_t b) const {
    return model_.objective[a] <= model_.objective[b] &&
           (cards(a) == 0 || (model_.type[a] == model_.type[b] && cards(a) <= cards(b)));
  }

  // The options of an item that the best solutions are made of, least objective first: those that
  // fit at all and that neither another option nor taking none beats.
  [[nodiscard]] std::vector<std::int64_t> useful_options(std::size_t item) const {
    const double skip = must_serve(item) ? kInfinity : model_.skip_objective[item];
    std::vector<std::int64_t> sorted;
    for (std::int64_t o = model_.first[item]; o < model_.first[item + 1]; ++o) {
      if (cards(o) <= capacity(model_.type[o]) && model_.objective[o] < skip) sorted.push_back(o);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [&](std::int64_t a, std::int64_t b) {
      const double oa = model_.objective[a], ob = model_.objective[b];
      return oa != ob ? oa < ob : cards(a) < cards(b);
    });
    std::vector<std::int64_t> kept;
    for (const std::int64_t o : sorted) {
      const auto wins = [&](std::int64_t other) { return beats(other, o); };
      if (std::none_of(kept.begin(), kept.end(), wins)) kept.push_back(o);
    }
    return kept;
  }

  // A solution that is no worse than the solution `chosen` and made of useful options.
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

  // Item by item the first useful option that the cards left suffice for.
  [[nodiscard]] std::vector<std::int64_t> filled(const Options& useful) const {
    std::vector<std::int64_t> left(model_.capacity.size());
    for (std::size_t t = 0; t < left.size(); ++t) left[t] = capacity(static_cast<std::int32_t>(t));
    std::vector<std::int64_t> chosen(useful.size(), -1);
    for (std::size_t i = 0; i < useful.size(); ++i) {
      const auto fits = [&](std::int64_t o) {
        return cards(o) == 0 || cards(o) <= left[model_.type[o]];
      };
      const auto found = std::find_if(useful[i].begin(), useful[i].end(), fits);
      if (found == useful[i].end()) continue;
      chosen[i] = *found;
      if (cards(*found) > 0) left[model_.type[*found]] -= cards(*found);
    }
    return chosen;
  }

 private:
  const ChoiceModel& model_;
};

// The stage as a 0-1 program over the useful options, objectives relative to taking none.
class Program {
 public:
  Program(const ChoiceModel& model, const Stage& stage, const Options& useful) {
    std::vector<BinaryProgram::Row> of_class(model.least_served.size());
    std::vector<std::vector<std::int32_t>> of_type(model.capacity.size());
    std::vector<std::int64_t> demand(model.capacity.size(), 0), most(model.capacity.size(), 0);
    for (std::size_t i = 0; i < useful.size(); ++i) {
      skip_sum_ += model.skip_objective[i];
      whole_ = whole_ && is_whole(model.skip_objective[i]);
      BinaryProgram::Row choice;
      for (const std::int64_t o : useful[i]) {
        const auto column = static_cast<std::int32_t>(option_.size());
        option_.push_back(o);
        item_.push_back(i);
        program_.objective.push_back(model.objective[o] - model.skip_objective[i]);
        whole_ = whole_ && is_whole(program_.objective.back());
        choice.entries.emplace_back(column, 1.0);
        if (stage.must_serve(i)) of_class[model.item_class[i]].entries.emplace_back(column, 1.0);
        if (stage.cards(o) > 0) {
          of_type[model.type[o]].push_back(column);
          most[model.type[o]] = std::max(most[model.type[o]], stage.cards(o));
        }
      }
      for (const std::int64_t o : useful[i]) {
        if (stage.cards(o) == 0) continue;
        demand[model.type[o]] = saturating_add(demand[model.type[o]], most[model.type[o]]);
        most[model.type[o]] = 0;
      }
      choice.upper = 1;
      if (choice.entries.size() > 1) program_.rows.push_back(std::move(choice));
    }
    for (std::size_t t = 0; t < of_type.size(); ++t) {
      const std::int64_t capacity = stage.capacity(static_cast<std::int32_t>(t));
      if (demand[t] > capacity) add_capacity(stage, of_type[t], capacity);
    }
    for (std::size_t c = 0; c < of_class.size(); ++c) {
      if (model.least_served[c] <= 0) continue;
      of_class[c].lower = static_cast<double>(model.least_served[c]);
      program_.rows.push_back(std::move(of_class[c]));
    }
  }

  [[nodiscard]] BinaryAnswer solve(const ExactLimits& limits, const ChoiceAnswer& known) const {
    std::vector<double> start;
    if (known.feasible) {
      for (std::size_t j = 0; j < option_.size(); ++j) {
        start.push_back(known.chosen[item_[j]] == option_[j] ? 1.0 : 0.0);
      }
    }
    return solve_binary_program(program_, limits, start);
  }

  [[nodiscard]] std::vector<double> shares(std::size_t options) const {
    const std::vector<double> x = relax_binary_program(program_);
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

  // Bound of the whole stage; where every objective is a whole number, so is the least.
  [[nodiscard]] double total_bound(double bound) const {
    return skip_sum_ + (whole_ ? std::ceil(bound) : bound);
  }

 private:
  static bool is_whole(double v) { return v == std::floor(v) && std::abs(v) < 1e9; }

  void add_capacity(const Stage& stage, const std::vector<std::int32_t>& columns,
                    std::int64_t capacity) {
    std::int64_t divisor = 0;
    for (const std::int32_t j : columns) divisor = std::gcd(divisor, stage.cards(option_[j]));
    BinaryProgram::Row row;
    for (const std::int32_t j : columns) {
      row.entries.emplace_back(j, not_above(stage.cards(option_[j]) / divisor));
    }
    row.upper = not_below(capacity / divisor);
    program_.rows.push_back(std::move(row));
  }

  BinaryProgram program_;
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
  // What the search finds in floating point may not hold in whole cards.
  offer(stage.filled(useful));

  double tolerance = 0;
  answer.finished = true;
  if (!answer.feasible || answer.objective - answer.bound > limits.absolute_gap) {
    const Program program(model, stage, useful);
    const BinaryAnswer found = program.solve(limits, answer);
    tolerance = found.tolerance;
    answer.finished = found.finished;
    offer(program.chosen(found.x, found.x.empty() ? 0 : items));
    answer.bound = std::max(answer.bound, program.total_bound(found.bound));
    // Only a search that knew no solution says something by finding none.
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
