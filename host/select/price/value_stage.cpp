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

Packing PriceSolver::value_plan(PlanMaker& maker, AlikeSearches& searches, const Table& table,
                                const Stage& stage, const Prices& prices, const AlikeGoal& goal,
                                std::int64_t attempt, const std::vector<double>& least_skipped,
                                std::int64_t& spare) const {
  const ValueAim aim = value_restart(static_cast<std::size_t>(attempt), table.num_players(),
                                     near_share_of(stage, prices, goal.near, least_skipped));
  const Stage target = with_reserve(stage, aim.reserve, least_skipped);
  if (!has_exact_solver()) return maker.attempt(target, stage, prices, aim.jitter, aim.salt);
  Packing plan = maker.choose_jittered(target, prices, aim.jitter, aim.salt, &spare);
  searches.settle(table, stage, prices, goal, plan);
  // Single exchanges often complete what the grouped search leaves.
  if (is_large()) {
    maker.mend_moves(stage, prices, plan);
  } else if (lack(table, stage, plan) <= kMendable) {
    maker.exchange_moves(stage, prices, plan);
  }
  return plan;
}

void PriceSolver::value_stage(const Packing& greedy, bool first) {
  const Stage stage = value_stage_of();
  exchanged_ = kNever;
  Prices start = zero_prices(table_, stage);
  if (!first) {
    start.resource = prices_.back().resource;
    prices_.pop_back();
    proofs_.pop_back();
  } else if (std::ssize(options_.start_prices) == table_.num_types) {
    for (std::int32_t t = 0; t < table_.num_types; ++t) {
      const double price = options_.start_prices[t];
      if (price >= 0 && price <= kMaxStartPrice) start.resource[t] = price;
    }
  }
  const Prices prices =
      maximise_dual(table_, stage, start, kBoundAccuracy, options_.num_threads, iterations_);
  Proof proof;
  proof.bound = proof.of_prices = respond(table_, stage, prices, options_.num_threads).bound();
  const auto done = [&](const Packing& p) {
    return p.skipped() == best_.skipped() && p.value(table_) - proof.bound <= tolerance();
  };
  keep(greedy);
  const double near = effort_.near_value * cost_of(from_, table_, best_);
  const auto is_near = [&](const Packing& p) {
    return done(p) || p.value(table_) - proof.bound <= near;
  };
  // A plan that serves more than the stage asks for belongs to the next one.
  const auto at_level = [&] { return best_.skipped() == stage.may_skip; };
  Relaxed relaxed{proof.of_prices, prices, {}, best_};
  // In large fleets exchanges, which are made in numbers, come first and single moves last.
  const bool exchanges_first = is_large() && has_exact_solver();
  if (at_level() && !done(best_)) {
    if (!exchanges_first) {
      improve_best(stage, prices);
    } else if (best_.value(table_) - proof.bound <= kExchanged * near) {
      exchange_best(stage, prices);
    }
    proof.objective = best_.value(table_);
    glance(stage, relaxed, proof);
  }
  const auto goal = [&](double bound, int patience) {
    return AlikeGoal{bound,    near,           best_.value(table_) - proof.bound,
                     patience, effort_.excess, effort_.plan};
  };
  // After branching in earlier stages no single node's prices describe the whole stage.
  const bool is_branched = leaves_.size() > 1;
  const auto branch_value = [&] {
    std::int64_t plans = 0;
    const auto make = [&](PlanMaker& maker, const Table& table, const Stage& at_stage,
                          const Prices& at, double bound, const Leaf& leaf) {
      return value_plan(maker, alike_, table, at_stage, at, goal(bound, 1), plans++,
                        leaf.least_skipped, spare_);
    };
    const BranchLimits limits{near, kBranchAccuracy, effort_.branch_value, false};
    std::vector<Leaf> leaves = leaves_;
    branch(table_, stage, prices, limits, options_.num_threads, iterations_, make, leaves, best_,
           proof);
  };
  std::int64_t attempt = 0;
  const auto restart_until = [&](std::int64_t last) {
    while (attempt < last && !(has_exact_solver() && alike_.is_spent())) {
      if (!at_level() || is_near(best_)) return;
      const std::int64_t next = std::min(last, attempt + kSideBySide);
      std::vector<std::int64_t> spare(static_cast<std::size_t>(next - attempt), spare_);
      const std::vector<Packing> plans = make_side_by_side(
          table_, attempt, next, options_.num_threads, alike_, iterations_,
          [&](PlanMaker& maker, AlikeSearches& searches, std::int64_t i) {
            return value_plan(maker, searches, table_, stage, prices, goal(proof.bound, 1), i,
                              least_skipped_, spare[static_cast<std::size_t>(i - attempt)]);
          });
      for (const Packing& plan : plans) {
        if (plan.is_feasible() && !falls_short(stage, plan)) keep(plan);
      }
      spare_ = *std::min_element(spare.begin(), spare.end());
      attempt = next;
    }
  };
  const double before = best_.value(table_);
  if (has_exact_solver() && !is_branched) {
    if (is_large()) {
      // Large players may be split by the relaxation; more plans from the same prices do not help,
      // branching does.
      restart_until(kSideBySide);
      if (at_level() && !is_near(best_)) branch_value();
    }
    // Other methods seldom make up for plans of a large fleet that are all short of something.
    restart_until(is_large() ? num_value_restarts(table_.num_players()) : kFirstRestarts);
  }
  const bool is_same = best_.value(table_) == before;
  if (exchanges_first && is_same && at_level() && !is_near(best_)) improve_best(stage, prices);
  std::vector<Packing> plans;
  if (!is_branched && is_same) {
    plans = try_aims(
        value_aims(table_.num_players()), prices,
        [&](const ValueAim& aim) { return with_reserve(stage, aim.reserve, least_skipped_); },
        [&](const Packing& p) { return !at_level() || is_near(p); });
  }
  if (at_level()) polish(stage, prices, std::move(plans), is_near);
  if (at_level() && !is_near(best_)) {
    exchange_best(stage, prices);
    alike_.settle(table_, stage, prices, goal(proof.bound, is_large() ? kPatience : 1), best_);
  }
  if ((is_branched || !has_exact_solver()) && at_level() && !is_near(best_)) branch_value();
  if (may_tighten() && at_level() && !is_near(best_)) {
    tighten(stage, best_.value(table_), effort_.certify, relaxed, proof);
  }
  if (may_tighten() && at_level() && !is_near(best_)) {
    alike_.settle(table_, stage, prices, goal(proof.bound, kPatience), best_);
  }
  if (!is_branched) restart_until(num_value_restarts(table_.num_players()));
  if (at_level() && !done(best_)) exchange_best(stage, prices);
  if (!is_large() && at_level() && !is_near(best_)) {
    AlikeSearches last(effort_.last, effort_.one, maker_.spread());
    last.settle(table_, stage, prices, goal(proof.bound, kPatience), best_);
  }
  proof.objective = best_.value(table_);
  if (!done(best_) && best_.skipped() == stage.may_skip) {
    search_rest(stage, relaxed, stage, prices, proof);
  }
  for (double* bound : {&proof.bound, &proof.of_prices}) {
    if (proof.objective - *bound <= tolerance()) *bound = proof.objective;
  }
  prices_.push_back(prices);
  proofs_.push_back(proof);
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
