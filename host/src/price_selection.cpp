#include "tonnage/host/price_selection.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "exact_choice.hpp"
#include "price_alike.hpp"
#include "price_attempts.hpp"
#include "price_branch.hpp"
#include "price_exact.hpp"
#include "price_packing.hpp"
#include "price_plans.hpp"
#include "price_translation.hpp"

namespace tonnage {
namespace {

using price::Packing;
using price::Prices;
using price::Proof;
using price::Stage;
using price::Table;

// Where players only count, their values decide among the many plans that serve as many: by so
// much of a player's spread of values.
constexpr double kValueInCounts = 1e-5;
constexpr double kCountTolerance = 1e-6;
// Near: unserved players (at least one, or a share of them), and a share of the cost of values.
constexpr double kNearCount = 0.002, kNearValue = 1e-4;
// Share of the bound by which its prices may miss it.
constexpr double kBoundTolerance = 1e-10;
// Beyond so many players exact searches take long and find little that prices did not.
constexpr std::int64_t kMaxSearched = 1500;
constexpr std::int64_t kOtherWork = 30000000, kExactWork = 80000000, kBoundWork = 90000000;
// Where this settles all, nothing else is tried.
constexpr price::RestLimits kGlance{400, 0, 0, 20000000, 0};
constexpr price::RestLimits kFirstLook{2000, 2500, kOtherWork, kExactWork, kBoundWork};
constexpr price::RestLimits kSecondLook{6000, 3000, kOtherWork, kExactWork, kBoundWork};
// A plan this near to its bound is as good as proven: cents/hour, and share of the values' sum.
constexpr double kValueTolerance = 1e-6;
constexpr double kRelativeTolerance = 1e-11;
// Prices to start from beyond this are none.
constexpr double kMaxStartPrice = 1e12;
// Service levels may turn out better than the stages before found; then the last stage is redone.
constexpr int kMaxRepeats = 5;
// Where an exact search follows, aims are tried only if so many plans made for it found nothing;
// what values are told apart by where it is after counts.
constexpr std::int64_t kFirstRestarts = 4;
constexpr double kCountJitter = 1e-2;
constexpr int kPatience = 2;  // around the best plan
constexpr double kBranchTolerance = 1e-9;
// What branching says of a stage matters to the next ones if it closed more of the gap than this.
constexpr double kTelling = 0.5;

// What searches among players that are alike may take in a stage of counts, in that of value, there
// for one plan, around a last plan, and one of them alone, as ExactLimits counts it; and what
// branching may, in stages of counts and those that go on from them, and in others.
struct Effort {
  std::int64_t counts, value, plan, last, one, branch_counts, branch;
};
constexpr Effort kSmallEffort{13000000, 20000000, 20000000, 6000000, 20000000, 60000000, 60000000};
constexpr Effort kEffort{64000000, 100000000, 100000000, 16000000, 12000000, 300000000, 120000000};
constexpr Effort kLargeEffort{64000000, 128000000, 50000000, 32000000,
                              16000000, 60000000,  60000000};
constexpr std::int64_t kLarge = 100000;  // players

constexpr const Effort& effort_of(std::int64_t num_players) {
  return num_players <= kMaxSearched ? kSmallEffort
         : num_players <= kLarge     ? kEffort
                                     : kLargeEffort;
}

class Clock {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

class PriceSolver {
 public:
  PriceSolver(const OptionTable& from, const PriceOptions& options)
      : from_(from),
        options_(options),
        table_(price::flatten(from)),
        best_(table_, 0),
        maker_(table_, options.num_threads, iterations_),
        effort_(effort_of(table_.num_players())),
        alike_(effort_.value, effort_.one, maker_.spread()) {
    for (std::int64_t p = 0; p < table_.num_players(); ++p) {
      const auto own = table_.options_of(p);
      sum_of_values_ += std::max(std::abs(own.front().value), std::abs(own.back().value));
    }
    count_weight_ = kValueInCounts / maker_.spread();
  }

  Selection solve() {
    const Packing greedy = price::greedy_packing(from_, table_);
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      report(k);
      count_stage(k, greedy);
    }
    report(table_.num_classes());
    for (int i = 0; i < kMaxRepeats; ++i) {
      const std::vector<std::int64_t> before = best_.skipped();
      value_stage(greedy, i == 0);
      if (best_.skipped() == before) break;
    }
    settle_bounds();
    return finish();
  }

 private:
  void report(std::int64_t stages_done) const {
    if (options_.progress) options_.progress("selecting", stages_done, table_.num_classes() + 1);
  }

  // Unserved players of class `rank` at the levels reached so far, values breaking ties.
  [[nodiscard]] Stage count_stage_of(std::int32_t rank, double value_weight) const {
    Stage stage;
    stage.num_classes = rank + 1;
    stage.value_weight = value_weight;
    stage.skip_cost.assign(static_cast<std::size_t>(rank) + 1, 0.0);
    stage.skip_cost[rank] = 1;
    stage.may_skip.assign(best_.skipped().begin(), best_.skipped().begin() + rank);
    stage.may_skip.push_back(Stage::kNoLimit);
    return stage;
  }
  [[nodiscard]] Stage value_stage_of() const {
    Stage stage;
    stage.num_classes = table_.num_classes();
    stage.skip_cost.assign(static_cast<std::size_t>(stage.num_classes), 0.0);
    stage.may_skip = best_.skipped();
    return stage;
  }

  void keep(const Packing& candidate) {
    if (is_better(table_, candidate, best_)) best_ = candidate;
  }

  // Improves the best plan, but not at the cost of a level that it exceeds.
  void improve_best(const Stage& stage, const Prices& prices) {
    Packing plan = best_;
    maker_.improve_moves(stage, prices, plan);
    keep(plan);
  }
  static constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
  void exchange_best(const Stage& stage, const Prices& prices) {
    const double before = objective_of(table_, stage, best_);
    if (before == exchanged_) return;
    Packing plan = best_;
    maker_.exchange_moves(stage, prices, plan);
    keep(plan);
    exchanged_ = objective_of(table_, stage, best_);
  }

  // More plans of a stage of unserved players until one is near the bound.
  template <class Near>
  void restart_counts(std::int32_t rank, const Stage& stage, const Prices& prices,
                      const Near& near) {
    const std::int64_t most = price::num_count_restarts(table_.num_players());
    for (std::int64_t i = 0; i < most && !near(best_); ++i) {
      const price::CountAim aim = price::count_restart(static_cast<std::size_t>(i));
      const Stage target = count_stage_of(rank, aim.factor * count_weight_);
      Packing plan = maker_.attempt(target, stage, prices, aim.jitter, aim.salt);
      if (!price::falls_short(stage, plan) &&
          plan.skipped(rank) <= best_.skipped(rank) + price::kRepairable) {
        maker_.exchange_moves(stage, prices, plan);
      }
      keep(plan);
    }
  }

  // One of several plans of the stage of value, made for a table and its prices. It may not hold.
  Packing value_plan(price::PlanMaker& maker, const Table& table, const Stage& stage,
                     const Prices& prices, const price::AlikeGoal& goal, std::size_t attempt,
                     const std::vector<double>& least_skipped) {
    const price::ValueAim aim = price::value_restart(attempt);
    const Stage target = with_reserve(stage, aim.reserve, least_skipped);
    if (!has_exact_solver()) return maker.attempt(target, stage, prices, aim.jitter, aim.salt);
    Packing plan = maker.choose_jittered(target, prices, aim.jitter, aim.salt);
    alike_.settle(table, stage, prices, goal, plan);
    return plan;
  }

  // The stage with levels to aim at, by a share of what lies between them and their bounds.
  [[nodiscard]] static Stage with_reserve(const Stage& stage, double share,
                                          const std::vector<double>& least_skipped) {
    Stage target = stage;
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      target.reserve.push_back(
          share * (static_cast<double>(stage.may_skip[k]) - std::max(0.0, least_skipped[k])));
    }
    return target;
  }

  // Improves the best of some plans, as far as the prices tell, and keeps what is better.
  template <class Good>
  void polish(const Stage& stage, const Prices& prices, std::vector<Packing> plans,
              const Good& good) {
    for (const std::size_t i : maker_.most_promising(stage, prices, plans)) {
      if (good(best_)) return;
      maker_.repair(stage, prices, plans[i]);
      keep(plans[i]);
    }
  }

  void count_stage(std::int32_t rank, const Packing& greedy) {
    best_.extend(table_, rank + 1);
    exchanged_ = kNever;
    const Stage stage = count_stage_of(rank, count_weight_);
    const Stage pure = count_stage_of(rank, 0);
    const Prices prices = maximise_dual(table_, stage, zero_prices(table_, stage), kBoundTolerance,
                                        options_.num_threads, iterations_);
    Prices of_bound = prices;
    // Below 0 as it may be: what a better plan may consist of follows from it.
    least_skipped_.push_back(respond(table_, pure, prices, options_.num_threads).bound());
    Proof proof;
    proof.bound = proof.of_prices = least_skipped_.back();
    const auto done = [&](const Packing& p) {
      const double least = std::max(0.0, std::ceil(proof.bound - kCountTolerance));
      return !price::falls_short(stage, p) && static_cast<double>(p.skipped(rank)) <= least;
    };

    fill(table_, stage, prices, best_);
    Packing greedy_part(table_, rank + 1);
    for (std::int64_t p = 0; p < greedy_part.num_players(); ++p) {
      greedy_part.put(p, greedy.option_of(p));
    }
    keep(greedy_part);
    if (!done(best_)) {
      // What values weigh costs the bound of a large fleet some servers.
      const Prices bare =
          maximise_dual(table_, pure, prices, kBoundTolerance, options_.num_threads, iterations_);
      const double bound = respond(table_, pure, bare, options_.num_threads).bound();
      if (bound > least_skipped_.back()) {
        least_skipped_.back() = bound;
        proof.bound = proof.of_prices = bound;
        of_bound = bare;
      }
    }
    for (price::Leaf& leaf : leaves_) leaf.bound = proof.bound;
    std::vector<Packing> plans;
    for (const price::CountAim& aim : price::count_aims(table_.num_players())) {
      if (done(best_)) break;
      plans.push_back(maker_.round_jittered(count_stage_of(rank, aim.factor * count_weight_),
                                            prices, aim.jitter));
      keep(plans.back());
    }
    proof.objective = static_cast<double>(best_.skipped(rank));
    if (!done(best_)) glance(pure, of_bound, proof);
    if (!done(best_)) search_counts(pure, of_bound, proof);
    const auto is_near = [&](const Packing& p) {
      return done(p) || is_near_count(static_cast<double>(p.skipped(rank)), proof.bound);
    };
    polish(stage, prices, std::move(plans),
           [&](const Packing& p) { return has_exact_solver() ? is_near(p) : done(p); });
    restart_counts(rank, stage, prices, is_near);
    if (!done(best_)) improve_best(stage, prices);
    if (!done(best_) && !has_exact_solver()) exchange_best(stage, prices);
    proof.objective = static_cast<double>(best_.skipped(rank));
    if (!done(best_)) search_rest(pure, of_bound, stage, prices, proof);
    leave_hopeful(rank, proof);
    proof.bound =
        std::min(proof.objective, std::max(0.0, std::ceil(proof.bound - kCountTolerance)));
    prices_.push_back(std::move(of_bound));
    proofs_.push_back(proof);
    seconds_.push_back(clock_.lap());
  }

  void value_stage(const Packing& greedy, bool first) {
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
        maximise_dual(table_, stage, start, kBoundTolerance, options_.num_threads, iterations_);
    Proof proof;
    proof.bound = proof.of_prices = respond(table_, stage, prices, options_.num_threads).bound();
    const auto done = [&](const Packing& p) {
      return p.skipped() == best_.skipped() && p.value(table_) - proof.bound <= tolerance();
    };
    keep(greedy);
    const double near = kNearValue * price::cost_of(from_, table_, best_);
    const auto is_near = [&](const Packing& p) {
      return done(p) || p.value(table_) - proof.bound <= near;
    };
    // A plan that serves more than the stage asks for belongs to the next one.
    const auto at_level = [&] { return best_.skipped() == stage.may_skip; };
    if (at_level() && !done(best_)) {
      improve_best(stage, prices);
      proof.objective = best_.value(table_);
      glance(stage, prices, proof);
    }
    const auto goal = [&](double bound, int patience) {
      return price::AlikeGoal{bound,    near, best_.value(table_) - proof.bound,
                              patience, true, effort_.plan};
    };
    // Where stages before had to branch, the prices of no single node tell what holds.
    const bool is_branched = leaves_.size() > 1;
    const auto branch_value = [&] {
      std::size_t plans = 0;
      const auto make = [&](price::PlanMaker& maker, const Table& table, const Stage& at_stage,
                            const Prices& at, double bound,
                            const std::vector<double>& least_skipped) {
        return value_plan(maker, table, at_stage, at, goal(bound, 1), plans++, least_skipped);
      };
      const price::BranchLimits limits{near, kBranchTolerance,
                                       is_branched ? effort_.branch_counts : effort_.branch, false};
      std::vector<price::Leaf> leaves = leaves_;
      branch(table_, stage, prices, limits, options_.num_threads, iterations_, make, leaves, best_,
             proof);
    };
    std::int64_t attempt = 0;
    const auto restart_until = [&](std::int64_t last) {
      for (; attempt < last && !(has_exact_solver() && alike_.is_spent()); ++attempt) {
        if (!at_level() || is_near(best_)) return;
        Packing plan = value_plan(maker_, table_, stage, prices, goal(proof.bound, 1),
                                  static_cast<std::size_t>(attempt), least_skipped_);
        if (plan.is_feasible() && !price::falls_short(stage, plan)) keep(plan);
      }
    };
    const double before = best_.value(table_);
    if (has_exact_solver() && !is_branched) restart_until(kFirstRestarts);
    const bool needs_aims = !is_branched && best_.value(table_) == before;
    std::vector<Packing> plans;
    for (const price::ValueAim& aim : price::value_aims(table_.num_players())) {
      if (!needs_aims || !at_level() || is_near(best_)) break;
      plans.push_back(maker_.round_jittered(with_reserve(stage, aim.reserve, least_skipped_),
                                            prices, aim.jitter));
      keep(plans.back());
    }
    if (at_level()) polish(stage, prices, std::move(plans), is_near);
    if (at_level() && !is_near(best_)) {
      exchange_best(stage, prices);
      alike_.settle(table_, stage, prices, goal(proof.bound, 1), best_);
    }
    if (at_level() && !is_near(best_)) branch_value();
    if (at_level() && !is_near(best_)) {
      alike_.settle(table_, stage, prices, goal(proof.bound, kPatience), best_);
    }
    if (!is_branched) restart_until(price::num_value_restarts(table_.num_players()));
    if (at_level() && !done(best_)) exchange_best(stage, prices);
    if (at_level() && !is_near(best_)) {
      price::AlikeSearches last(effort_.last, effort_.one, maker_.spread());
      last.settle(table_, stage, prices, goal(proof.bound, kPatience), best_);
    }
    proof.objective = best_.value(table_);
    if (!done(best_) && best_.skipped() == stage.may_skip) {
      search_rest(stage, prices, stage, prices, proof);
    }
    for (double* bound : {&proof.bound, &proof.of_prices}) {
      if (proof.objective - *bound <= tolerance()) *bound = proof.objective;
    }
    prices_.push_back(prices);
    proofs_.push_back(proof);
    if (first) {
      seconds_.push_back(clock_.lap());
    } else {
      seconds_.back() += clock_.lap();
    }
  }

  static bool is_near_count(double unserved, double bound) {
    const double least = std::max(0.0, std::ceil(bound - kCountTolerance));
    return unserved <= least + std::max(1.0, kNearCount * least);
  }

  // Looks for plans that serve more players, and for a better bound of how many that can be.
  void search_counts(const Stage& stage, const Prices& prices, Proof& proof) {
    if (!has_exact_solver()) return;
    price::AlikeSearches alike(effort_.counts, effort_.one, 1);
    price::AlikeGoal goal{proof.bound, 1 - kCountTolerance, proof.objective - proof.bound, 1};
    const auto make = [&](price::PlanMaker& maker, const Table& table, const Stage& of_node,
                          const Prices& at, double bound, const std::vector<double>&) {
      goal.bound = bound;
      Packing plan = maker.choose_jittered(of_node, at, kCountJitter);
      alike.settle(table, of_node, at, goal, plan);
      return plan;
    };
    const price::BranchLimits limits{goal.near, kBranchTolerance, effort_.branch_counts, true};
    const double of_prices = proof.bound;
    std::vector<price::Leaf> leaves = leaves_;
    branch(table_, stage, prices, limits, options_.num_threads, iterations_, make, leaves, best_,
           proof);
    // Where that says little, one set of prices for everybody tells more than one for each leaf.
    const double gap = objective_of(table_, stage, best_) - of_prices;
    if (proof.bound - of_prices > kTelling * gap) leaves_ = std::move(leaves);
    goal.bound = proof.bound;
    price::AlikeSearches last(effort_.last, effort_.one, 1);
    last.settle(table_, stage, prices, goal, best_);
  }

  // Leaves that no plan as good as the best keeps to are done with.
  void leave_hopeful(std::int32_t rank, const Proof& proof) {
    std::erase_if(leaves_, [&](const price::Leaf& leaf) {
      return leaf.bound - kCountTolerance > static_cast<double>(best_.skipped(rank));
    });
    for (price::Leaf& leaf : leaves_) leaf.least_skipped.push_back(leaf.bound);
    if (leaves_.empty()) leaves_.push_back({{}, proof.bound, least_skipped_});
  }

  [[nodiscard]] bool may_solve_rest() const {
    return has_exact_solver() && table_.num_players() <= kMaxSearched;
  }

  // Decides small fleets at once.
  void glance(const Stage& stage, const Prices& prices, Proof& proof) {
    if (!may_solve_rest()) return;
    solve_rest(table_, stage, prices, kGlance, best_, proof);
  }

  // Looks for better plans of a stage (`pure`, whose unit the proof is in) among what the prices of
  // its bound leave open, exactly where that is little.
  void search_rest(const Stage& pure, const Prices& of_bound, const Stage& stage,
                   const Prices& prices, Proof& proof) {
    if (!may_solve_rest()) return;
    for (const price::RestLimits& limits : {kFirstLook, kSecondLook}) {
      if (proof.objective <= proof.bound) break;
      const auto progress = solve_rest(table_, pure, of_bound, limits, best_, proof);
      if (progress == price::Progress::kSettled) break;
      maker_.exchange_moves(stage, prices, best_);
      proof.objective = objective_of(table_, pure, best_);
    }
  }

  [[nodiscard]] double tolerance() const {
    return kValueTolerance + kRelativeTolerance * sum_of_values_;
  }

  // Bounds of counts once more at the service levels of the final plan.
  void settle_bounds() {
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      Proof& proof = proofs_[k];
      proof.objective = static_cast<double>(best_.skipped(k));
      const Stage pure = count_stage_of(k, 0);
      for (std::int32_t j = 0; j < k; ++j) {
        // A level that turned out to spare nobody needs everybody served.
        if (pure.is_forced(j)) {
          prices_[k].skip[j] = std::numeric_limits<double>::infinity();
        }
      }
      const double bound = respond(table_, pure, prices_[k], options_.num_threads).bound();
      const double whole = std::ceil(bound - kCountTolerance);
      proof.of_prices = std::max(0.0, whole);
      proof.bound = std::min(proof.objective, std::max(proof.of_prices, proof.bound));
    }
  }

  Selection finish() const {
    Selection selection;
    selection.iterations = iterations_;
    selection.choices = price::choices_of(from_, table_, best_, options_);
    const auto add = [&](const Stage& stage, double hopeless) -> StageCertificate& {
      const std::size_t i = selection.stages.size();
      selection.stages.push_back(
          price::certificate(table_, stage, prices_[i], proofs_[i], hopeless));
      selection.stages.back().seconds = seconds_[i];
      return selection.stages.back();
    };
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      add(count_stage_of(k, 0), static_cast<double>(table_.hopeless[k])).priority =
          table_.priority[k];
    }
    const Stage last = value_stage_of();
    add(last, 0);
    price::StatedPrices stated = price::stated_prices(table_, last, prices_.back());
    selection.type_prices = std::move(stated.types);
    selection.limit_prices = std::move(stated.limits);
    selection.class_prices = std::move(stated.classes);
    return selection;
  }

  const OptionTable& from_;
  const PriceOptions& options_;
  Table table_;
  Packing best_;
  double count_weight_ = 1;
  double sum_of_values_ = 0;
  double exchanged_ = kNever;  // objective of the plan that exchanges last improved
  std::int64_t iterations_ = 0;
  price::PlanMaker maker_;
  const Effort& effort_;
  price::AlikeSearches alike_;  // in the stage of value
  std::vector<Prices> prices_;  // [stages]
  std::vector<Proof> proofs_;
  std::vector<price::Leaf> leaves_ = std::vector<price::Leaf>(1);  // what branching left
  std::vector<double> least_skipped_;  // [classes] as the prices of its stage prove
  std::vector<double> seconds_;
  Clock clock_;
};

}  // namespace

Selection select_price(const OptionTable& table, const PriceOptions& options) {
  return PriceSolver(table, options).solve();
}

}  // namespace tonnage
