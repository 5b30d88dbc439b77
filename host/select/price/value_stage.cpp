// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The value stage of the price solver: least value at the service levels of the counting stages.
#include <algorithm>
#include <utility>

#include "host/select/price/certificate.hpp"
#include "host/select/price/plans/schedule.hpp"
#include "host/select/price/price_solver.hpp"
#include "host/select/solver/choice_model.hpp"

namespace tonnage::price {
namespace {

// A plan this close to its bound counts as proven: in cents/hour, and as a share of the sum of
// values.
constexpr double kValueTolerance = 1e-6;
constexpr double kRelativeTolerance = 1e-11;
// Start prices above this are ignored.
constexpr double kMaxStartPrice = 1e12;
// Targets are tried only after this many plans for an exact search have failed.
constexpr std::int64_t kFirstRestarts = 4;
// Within this multiple of the near distance exchanges alone bring plans of large fleets near; from
// farther away other plans do so sooner.
constexpr double kExchanged = 4;
constexpr int kPatience = 2;  // around the best plan

// The stage with reserved levels: by a share of the distance between levels and their bounds.
Stage with_reserve(const Stage& stage, double share, const std::vector<double>& least_skipped) {
  Stage target = stage;
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    target.reserve.push_back(
        share * (static_cast<double>(stage.may_skip[k]) - std::max(0.0, least_skipped[k])));
  }
  return target;
}

// The reserve, as a share of that distance, that is worth at most `near`.
double near_share_of(const Stage& stage, const Prices& prices, double near,
                     const std::vector<double>& least_skipped) {
  double worth = 0;
  for (std::int32_t k = 0; k < stage.num_classes; ++k) {
    if (!stage.is_priced(k)) continue;
    worth += (prices.skip[k] - stage.skip_cost[k]) *
             (static_cast<double>(stage.may_skip[k]) - std::max(0.0, least_skipped[k]));
  }
  return worth > near ? near / worth : 1;
}

}  // namespace

Assignment PriceSolver::value_plan(PlanMaker& maker, GroupedSearches& searches, const Table& table,
                                   const Stage& stage, const Prices& prices,
                                   const GroupedGoal& goal, std::int64_t attempt,
                                   const std::vector<double>& least_skipped,
                                   std::int64_t& spare) const {
  const ValueAim aim = value_restart(static_cast<std::size_t>(attempt), table.num_servers(),
                                     near_share_of(stage, prices, goal.near, least_skipped));
  const Stage target = with_reserve(stage, aim.reserve, least_skipped);
  if (!has_exact_solver()) return maker.attempt(target, stage, prices, aim.perturbation, aim.seed);
  Assignment plan = maker.choose_perturbed(target, prices, aim.perturbation, aim.seed, &spare);
  searches.settle(table, stage, prices, goal, plan);
  // Single exchanges often complete what the grouped search leaves.
  if (is_large()) {
    maker.repair_moves(stage, prices, plan);
  } else if (lack(table, stage, plan) <= kExchangeable) {
    maker.exchange_moves(stage, prices, plan);
  }
  return plan;
}

// One run of the value stage: its bound, the plans made for it, and what has been tried. Its steps
// end as soon as the best plan is near the bound.
class PriceSolver::ValueStage {
 public:
  ValueStage(PriceSolver& solver, const Assignment& greedy, bool first)
      : s_(solver),
        stage_(solver.value_stage_of()),
        prices_(maximise_dual(s_.table_, stage_, start_prices(first), kBoundAccuracy,
                              s_.options_.num_threads, s_.iterations_)),
        relaxed_{0, prices_, {}, greedy} {
    proof_.bound = proof_.of_prices =
        respond(s_.table_, stage_, prices_, s_.options_.num_threads).bound();
    s_.exchanged_ = kNever;
    s_.keep(greedy);
    near_ = s_.effort_.near_value * cost_of(s_.from_, s_.table_, s_.best_);
    relaxed_.bound = proof_.of_prices;
    relaxed_.choices = s_.best_;
  }

  void run() {
    look_first();
    const double before = s_.best_.value(s_.table_);
    if (has_exact_solver() && !is_branched_) restart();
    make_more(s_.best_.value(s_.table_) == before);
    search_closely();
    proof_.objective = s_.best_.value(s_.table_);
    if (!is_done(s_.best_) && s_.best_.skipped() == stage_.may_skip) {
      s_.search_rest(stage_, relaxed_, stage_, prices_, proof_);
    }
    for (double* bound : {&proof_.bound, &proof_.of_prices}) {
      if (proof_.objective - *bound <= s_.tolerance()) *bound = proof_.objective;
    }
    s_.prices_.push_back(prices_);
    s_.proofs_.push_back(proof_);
  }

 private:
  // Prices of the stage before, or those that the caller gave, as far as they are usable.
  [[nodiscard]] Prices start_prices(bool first) {
    Prices start = zero_prices(s_.table_, stage_);
    if (!first) {
      start.resource = s_.prices_.back().resource;
      s_.prices_.pop_back();
      s_.proofs_.pop_back();
    } else if (std::ssize(s_.options_.start_prices) == s_.table_.num_types) {
      for (std::int32_t t = 0; t < s_.table_.num_types; ++t) {
        const double price = s_.options_.start_prices[t];
        if (price >= 0 && price <= kMaxStartPrice) start.resource[t] = price;
      }
    }
    return start;
  }

  [[nodiscard]] bool is_done(const Assignment& p) const {
    return p.skipped() == s_.best_.skipped() && p.value(s_.table_) - proof_.bound <= s_.tolerance();
  }
  [[nodiscard]] bool is_near(const Assignment& p) const {
    return is_done(p) || p.value(s_.table_) - proof_.bound <= near_;
  }
  // A plan that serves more than the stage asks for belongs to the next one.
  [[nodiscard]] bool at_level() const { return s_.best_.skipped() == stage_.may_skip; }
  [[nodiscard]] bool is_open() const { return at_level() && !is_near(s_.best_); }
  [[nodiscard]] GroupedGoal goal(double bound, int patience) const {
    return {bound,
            near_,
            s_.best_.value(s_.table_) - proof_.bound,
            patience,
            s_.effort_.excess,
            s_.effort_.plan};
  }

  // Improves the plan at hand, and tries to settle a small stage at once.
  void look_first() {
    if (!at_level() || is_done(s_.best_)) return;
    if (!exchanges_first_) {
      s_.improve_best(stage_, prices_);
    } else if (s_.best_.value(s_.table_) - proof_.bound <= kExchanged * near_) {
      s_.exchange_best(stage_, prices_);
    }
    proof_.objective = s_.best_.value(s_.table_);
    s_.glance(stage_, relaxed_, proof_);
  }

  // Plans made for an exact search, and branching in large fleets.
  void restart() {
    if (s_.is_large()) {
      // Large servers may be split by the relaxation; more plans from the same prices do not help,
      // branching does.
      restart_until(kSideBySide);
      if (is_open()) branch_value();
    }
    // Other methods seldom make up for plans of a large fleet that are all short of something.
    restart_until(s_.is_large() ? num_value_restarts(s_.table_.num_servers()) : kFirstRestarts);
  }

  // Plans for targets, the most promising improved by moves. `is_same`: restarts found nothing.
  void make_more(bool is_same) {
    if (exchanges_first_ && is_same && is_open()) s_.improve_best(stage_, prices_);
    std::vector<Assignment> plans;
    if (!is_branched_ && is_same) {
      plans = s_.try_aims(
          value_aims(s_.table_.num_servers()), prices_,
          [&](const ValueAim& aim) { return with_reserve(stage_, aim.reserve, s_.least_skipped_); },
          [&](const Assignment& p) { return !at_level() || is_near(p); });
    }
    if (at_level()) {
      s_.polish(stage_, prices_, std::move(plans), [&](const Assignment& p) { return is_near(p); });
    }
  }

  // Exchanges, grouped searches, branching and cuts, by turns.
  void search_closely() {
    if (is_open()) {
      s_.exchange_best(stage_, prices_);
      settle(s_.grouped_, s_.is_large() ? kPatience : 1);
    }
    if ((is_branched_ || !has_exact_solver()) && is_open()) branch_value();
    if (s_.may_tighten() && is_open()) {
      s_.tighten(stage_, s_.best_.value(s_.table_), s_.effort_.certify, relaxed_, proof_);
    }
    if (s_.may_tighten() && is_open()) settle(s_.grouped_, kPatience);
    if (!is_branched_) restart_until(num_value_restarts(s_.table_.num_servers()));
    if (at_level() && !is_done(s_.best_)) s_.exchange_best(stage_, prices_);
    if (!s_.is_large() && is_open()) {
      GroupedSearches last(s_.effort_.last, s_.effort_.one, s_.maker_.spread());
      settle(last, kPatience);
    }
  }

  void settle(GroupedSearches& searches, int patience) {
    searches.settle(s_.table_, stage_, prices_, goal(proof_.bound, patience), s_.best_);
  }

  void branch_value() {
    std::int64_t plans = 0;
    const auto make = [&](PlanMaker& maker, const Table& table, const Stage& at_stage,
                          const Prices& at, double bound, const OpenNode& open_node) {
      return s_.value_plan(maker, s_.grouped_, table, at_stage, at, goal(bound, 1), plans++,
                           open_node.least_skipped, s_.spare_);
    };
    const BranchLimits limits{near_, kBranchAccuracy, s_.effort_.branch_value, false};
    std::vector<OpenNode> open_nodes = s_.open_nodes_;
    branch(s_.table_, stage_, prices_, limits, s_.options_.num_threads, s_.iterations_, make,
           open_nodes, s_.best_, proof_);
  }

  // Makes plans up to number `last`, several at a time, until one is near.
  void restart_until(std::int64_t last) {
    while (attempt_ < last && !(has_exact_solver() && s_.grouped_.is_spent())) {
      if (!is_open()) return;
      const std::int64_t next = std::min(last, attempt_ + kSideBySide);
      std::vector<std::int64_t> spare(static_cast<std::size_t>(next - attempt_), s_.spare_);
      const std::vector<Assignment> plans = make_side_by_side(
          s_.table_, attempt_, next, s_.options_.num_threads, s_.grouped_, s_.iterations_,
          [&](PlanMaker& maker, GroupedSearches& searches, std::int64_t i) {
            return s_.value_plan(maker, searches, s_.table_, stage_, prices_, goal(proof_.bound, 1),
                                 i, s_.least_skipped_,
                                 spare[static_cast<std::size_t>(i - attempt_)]);
          });
      for (const Assignment& plan : plans) {
        if (plan.is_feasible() && !falls_short(stage_, plan)) s_.keep(plan);
      }
      s_.spare_ = *std::min_element(spare.begin(), spare.end());
      attempt_ = next;
    }
  }

  PriceSolver& s_;
  const Stage stage_;
  const Prices prices_;
  Proof proof_;
  Relaxed relaxed_;
  double near_ = 0;  // a plan this close to the bound is good enough
  std::int64_t attempt_ = 0;
  // In large fleets exchanges, which are made in numbers, come first and single moves last.
  const bool exchanges_first_ = s_.is_large() && has_exact_solver();
  // After branching in earlier stages no single node's prices describe the whole stage.
  const bool is_branched_ = s_.open_nodes_.size() > 1;
};

void PriceSolver::value_stage(const Assignment& greedy, bool first) {
  ValueStage(*this, greedy, first).run();
  if (first) {
    seconds_.push_back(watch_.lap());
  } else {
    seconds_.back() += watch_.lap();
  }
}

double PriceSolver::tolerance() const {
  return kValueTolerance + kRelativeTolerance * sum_of_values_;
}

}  // namespace tonnage::price
