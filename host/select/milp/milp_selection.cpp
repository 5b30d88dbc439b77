// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The exact solver: each stage of the lexicographic order by branch and cut (host/select/solver),
// starting from the plan and the bounds of the price solver.
#include "tonnage/host/milp_selection.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/stopwatch.hpp"
#include "host/select/leftovers.hpp"
#include "host/select/price/model/table.hpp"
#include "host/select/price/proof/restricted_search.hpp"
#include "host/select/solver/choice_model.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

using price::Table;

constexpr double kCountGap = 1 - 1e-6;  // counts are whole numbers
constexpr double kCountTolerance = 1e-6;

class MilpSolver {
 public:
  MilpSolver(const OptionTable& from, const MilpOptions& options)
      : from_(from), options_(options), table_(price::flatten(from)) {
    PriceOptions price;
    price.num_threads = options.num_threads;
    start_ = select_price(from, price);
    chosen_.assign(static_cast<std::size_t>(table_.num_servers()), -1);
    for (std::int64_t p = 0; p < table_.num_servers(); ++p) {
      const std::int64_t source = start_.choices[table_.source_server[p]].option;
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
        if (table_.source[o] == source) chosen_[p] = o;
      }
    }
  }

  Selection solve() {
    const std::int32_t classes = table_.num_classes();
    // Bounds of the start hold while the levels above are those of the start.
    bool as_started = true;
    for (std::int32_t k = 0; k <= classes; ++k) {
      report(k);
      const double before = objective(k);
      solve_stage(k, as_started ? &start_.stages[k] : nullptr);
      as_started = as_started && objective(k) == before;
    }
    return finish();
  }

 private:
  void report(std::int32_t stages_done) const {
    if (options_.progress) options_.progress("selecting", stages_done, table_.num_classes() + 1);
  }

  [[nodiscard]] bool is_value_stage(std::int32_t k) const { return k == table_.num_classes(); }

  [[nodiscard]] std::int64_t served(std::int32_t rank) const {
    return std::count_if(chosen_.begin() + table_.first_server[rank],
                         chosen_.begin() + table_.first_server[rank + 1],
                         [](std::int64_t o) { return o >= 0; });
  }
  // Unserved servers of a class, without hopeless ones, or the value of the plan.
  [[nodiscard]] double objective(std::int32_t k) const {
    if (!is_value_stage(k)) return static_cast<double>(table_.servers_of(k) - served(k));
    double value = 0;
    for (const std::int64_t o : chosen_) value += o < 0 ? 0 : table_.options[o].value;
    return value;
  }

  // Servers of the classes up to that of the stage; higher classes serve as many as they do now.
  [[nodiscard]] ChoiceModel model_of(std::int32_t k) const {
    ChoiceModel model;
    model.capacity.assign(table_.capacity.begin(), table_.capacity.end() - 1);
    model.first.push_back(0);
    const std::int32_t classes = std::min(k + 1, table_.num_classes());
    for (std::int32_t j = 0; j < std::min(k, classes); ++j) model.least_served.push_back(served(j));
    for (std::int64_t p = 0; p < table_.first_server[classes]; ++p) {
      double dearest = 0;
      for (const price::FlatOption& option : table_.options_of(p)) {
        model.objective.push_back(is_value_stage(k) ? option.value : 0);
        model.cards.push_back(option.whole_cards());
        model.type.push_back(option.type < table_.num_resources ? option.type : -1);
        price::add_uses(table_, option, model);
        dearest = std::max(dearest, model.objective.back());
      }
      const std::int32_t rank = table_.class_of[p];
      const bool forced = rank < k && model.least_served[rank] == table_.servers_of(rank);
      model.first.push_back(static_cast<std::int64_t>(model.objective.size()));
      model.item_class.push_back(rank);
      // Where all servers must be served, skipping one must not be attractive.
      model.skip_objective.push_back(rank == k ? 1 : forced ? dearest : 0);
    }
    return model;
  }

  void solve_stage(std::int32_t k, const StageCertificate* known) {
    const Stopwatch watch;
    StageCertificate c;
    if (known != nullptr) c = *known;
    c.seconds = 0;
    c.priority = is_value_stage(k) ? StageCertificate::kValueStage : table_.priority[k];
    const double hopeless = is_value_stage(k) ? 0 : static_cast<double>(table_.hopeless[k]);
    if (!c.proven) {
      c.lower_bound = search(k);
      if (!is_value_stage(k)) c.lower_bound = std::ceil(c.lower_bound - kCountTolerance);
      const double least = known != nullptr ? known->lower_bound - hopeless : c.lower_bound;
      c.objective = objective(k);
      c.lower_bound = std::min(c.objective, std::max(c.lower_bound, least));
      c.proven = c.objective == c.lower_bound;
      c.objective += hopeless;
      c.lower_bound += hopeless;
    }
    c.seconds += watch.seconds();
    stages_.push_back(std::move(c));
  }

  // Keeps the better plan, and returns a bound of the stage.
  double search(std::int32_t k) {
    ExactLimits limits;
    limits.absolute_gap = is_value_stage(k) ? 0 : kCountGap;
    limits.on_progress = [this, k] { report(k); };
    if (options_.time_limit_s > 0) {
      const double left = options_.time_limit_s - watch_.seconds();
      limits.max_seconds = std::max(0.01, left / (table_.num_classes() + 1 - k));
    }
    const ChoiceModel model = model_of(k);
    const auto items = static_cast<std::size_t>(model.num_items());
    const ChoiceAnswer answer =
        solve_exactly(model, limits, {chosen_.begin(), chosen_.begin() + items});
    if (answer.feasible && answer.objective < objective(k)) {
      std::copy(answer.chosen.begin(), answer.chosen.end(), chosen_.begin());
      refill(k);
    }
    return answer.proven ? objective(k) : answer.bound;
  }

  // Completes a new plan of the classes so far: each server of the classes below takes the first
  // option that fits.
  void refill(std::int32_t k) {
    std::vector<std::int64_t> left = table_.capacity;
    for (std::int64_t p = 0; p < table_.num_servers(); ++p) {
      std::int64_t& o = chosen_[p];
      if (table_.class_of[p] > k) {
        o = -1;
        for (std::int64_t i = table_.first[p]; i < table_.first[p + 1] && o < 0; ++i) {
          bool fits = true;
          table_.for_uses(table_.options[i], [&](std::int32_t r, double amount) {
            fits = fits && static_cast<std::int64_t>(amount) <= left[r];
          });
          if (fits) o = i;
        }
      }
      if (o < 0) continue;
      table_.for_uses(table_.options[o], [&](std::int32_t r, double amount) {
        left[r] -= static_cast<std::int64_t>(amount);
      });
    }
  }

  Selection finish() const {
    Selection selection;
    selection.iterations = start_.iterations;
    selection.stages = stages_;
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      // A search cut short may have served fewer of a class than a later stage then did.
      StageCertificate& c = selection.stages[k];
      c.objective = objective(k) + static_cast<double>(table_.hopeless[k]);
      c.proven = c.objective == c.lower_bound;
    }
    selection.choices.resize(static_cast<std::size_t>(from_.num_servers()));
    FreeCards cards(from_);
    for (std::int64_t p = 0; p < table_.num_servers(); ++p) {
      if (chosen_[p] < 0) continue;
      const std::int64_t o = table_.source[chosen_[p]];
      selection.choices[table_.source_server[p]] = {o, from_.options[o].num_replicas};
      cards.take_whole(from_.options[o]);
    }
    share_among_unserved(from_, options_.policy, options_.delayed_best_effort, cards,
                         selection.choices);
    // Prices of the start belong to the final levels only if no level moved.
    const bool same_levels =
        std::equal(stages_.begin(), stages_.end() - 1, start_.stages.begin(),
                   [](const auto& a, const auto& b) { return a.objective == b.objective; });
    if (same_levels) {
      selection.type_prices = start_.type_prices;
      selection.limit_prices = start_.limit_prices;
      selection.class_prices = start_.class_prices;
    }
    return selection;
  }

  const OptionTable& from_;
  const MilpOptions& options_;
  Stopwatch watch_;  // runs from the start
  Table table_;
  Selection start_;
  std::vector<std::int64_t> chosen_;  // [servers] index into the flat options; -1: none
  std::vector<StageCertificate> stages_;
};

}  // namespace

bool has_milp() noexcept { return has_exact_solver(); }

Selection select_milp(const OptionTable& table, const MilpOptions& options) {
  if (!has_milp()) {
    throw Error(ErrorCode::kUnavailable,
                "the milp solver is not available: this build has no exact solver (it was built "
                "without CBC)");
  }
  return MilpSolver(table, options).solve();
}

}  // namespace tonnage
