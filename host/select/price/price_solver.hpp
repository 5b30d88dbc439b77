// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// One run of the price solver: the stages of the lexicographic order, one after the other. Owns:
// what stages hand on (the best plan, prices, proofs, open branching nodes). Counting stages are in
// count_stage.cpp, the value stage in value_stage.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "host/base/stopwatch.hpp"
#include "host/select/price/model/assignment.hpp"
#include "host/select/price/plans/grouped_search.hpp"
#include "host/select/price/plans/plan_maker.hpp"
#include "host/select/price/plans/side_by_side.hpp"
#include "host/select/price/proof/lp_tree.hpp"
#include "host/select/price/proof/price_tree.hpp"
#include "host/select/price/proof/restricted_search.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage::price {

// Tolerance when bounds of counts are rounded up.
constexpr double kCountTolerance = 1e-6;
// Accuracy of the prices of a stage, and of those of a node.
constexpr Accuracy kBoundAccuracy{1e-10, true};
constexpr Accuracy kBranchAccuracy{1e-9, false};

// Work limits as ExactLimits counts them: of grouped searches in a counting stage, in the value
// stage, there for one plan, around the last plan, and of one such search; and of branching and of
// certifying, each in counting stages and in the value stage.
struct Effort {
  std::int64_t counts, value, plan, last, one, branch, branch_value, certify_counts, certify;
  double near_value;   // a plan so near to its bound is good enough: a share of its cost
  std::int64_t spare;  // cards of each type that plans made for an exact search are aimed to leave
  double excess;       // what plans lack counts so many times its price at first
  std::int64_t count_plans;  // made for each node that branching in a stage of counts plans for
  double share = 1;          // of the work limits; less where servers have very many options
};

class PriceSolver {
 public:
  PriceSolver(const OptionTable& from, const PriceOptions& options);
  Selection solve();

 private:
  // Unserved servers of class `rank` at the levels reached so far, values breaking ties.
  [[nodiscard]] Stage count_stage_of(std::int32_t rank, double value_weight) const;
  [[nodiscard]] Stage value_stage_of() const;

  void count_stage(std::int32_t rank, const Assignment& greedy);
  class ValueStage;
  void value_stage(const Assignment& greedy, bool first);

  void keep(const Assignment& candidate) {
    if (is_better(table_, candidate, best_)) best_ = candidate;
  }

  // Improves the best plan without giving up a level that it exceeds.
  void improve_best(const Stage& stage, const Prices& prices);
  void exchange_best(const Stage& stage, const Prices& prices);

  // Makes a plan for each target until one is near enough, and keeps better ones. target(aim): the
  // stage to plan for.
  template <class Aim, class Target, class Good>
  [[nodiscard]] std::vector<Assignment> try_aims(std::span<const Aim> aims, const Prices& prices,
                                                 const Target& target, const Good& good) {
    std::vector<Assignment> plans;
    while (plans.size() < aims.size() && !good(best_)) {
      const std::int64_t first = std::ssize(plans);
      const std::int64_t last = std::min(std::ssize(aims), first + kSideBySide);
      const auto make = [&](PlanMaker& maker, std::int64_t i) {
        const Aim& aim = aims[static_cast<std::size_t>(i)];
        return maker.round_perturbed(target(aim), prices, aim.perturbation);
      };
      for (Assignment& plan :
           make_side_by_side(table_, first, last, options_.num_threads, iterations_, make)) {
        keep(plan);
        plans.push_back(std::move(plan));
      }
    }
    return plans;
  }

  // Improves the most promising of some plans, judged by prices, and keeps better ones.
  template <class Good>
  void polish(const Stage& stage, const Prices& prices, std::vector<Assignment> plans,
              const Good& good) {
    for (const std::size_t i : maker_.most_promising(stage, prices, plans)) {
      if (good(best_)) return;
      maker_.repair(stage, prices, plans[i]);
      keep(plans[i]);
    }
  }

  // Tries to settle a small stage at once.
  void glance(const Stage& stage, const Relaxed& relaxed, Proof& proof);
  // Raises the bound of a stage by cuts and branching as far as needed, and keeps better plans
  // found on the way. `relaxed` holds the prices of the bound, and becomes the relaxation with
  // cuts.
  void tighten(const Stage& stage, double enough, std::int64_t work, Relaxed& relaxed,
               Proof& proof);
  // Searches for better plans of a stage among the options that its relaxation leaves open, exactly
  // where these are few. `pure` is the stage in whose unit the proof is.
  void search_rest(const Stage& pure, const Relaxed& relaxed, const Stage& stage,
                   const Prices& prices, Proof& proof);

  // Makes more plans of a counting stage until one is near the bound.
  template <class Near>
  void restart_counts(std::int32_t rank, const Stage& stage, const Prices& prices,
                      const Near& near);
  // Searches for plans that serve more servers, and for a better bound on their number.
  void search_counts(const Stage& stage, const Prices& prices, Proof& proof);
  // The best of several plans of a counting stage, made for a table and its prices; serves no
  // server if none is feasible.
  [[nodiscard]] Assignment count_plan(const Table& table, const Stage& stage, const Prices& prices,
                                      GroupedGoal goal, double least_skipped,
                                      GroupedSearches& searches);
  // A table with values weighted into a counting stage, as strongly as possible without costing the
  // relaxation more than a fraction of a server; its prices and bound.
  struct Weighted {
    Table table;
    Prices prices;
    double bound;
  };
  [[nodiscard]] Weighted weighted(const Table& table, const Stage& stage, const Prices& prices,
                                  double least_skipped);
  // Drops open nodes that cannot hold a plan as good as the best.
  void leave_hopeful(std::int32_t rank, const Proof& proof);
  // Recomputes bounds of counts at the service levels of the final plan.
  void settle_bounds();

  // One of several plans of the value stage, made for a table and its prices; may be infeasible.
  // `spare` becomes 0 if no plan can spare cards.
  [[nodiscard]] Assignment value_plan(PlanMaker& maker, GroupedSearches& searches,
                                      const Table& table, const Stage& stage, const Prices& prices,
                                      const GroupedGoal& goal, std::int64_t attempt,
                                      const std::vector<double>& least_skipped,
                                      std::int64_t& spare) const;
  [[nodiscard]] double tolerance() const;

  [[nodiscard]] bool is_large() const { return table_.num_servers() > kLarge; }
  // Whether linear programs are worthwhile: in large fleets they take long, and prices leave little
  // open.
  [[nodiscard]] bool may_tighten() const;
  [[nodiscard]] bool may_solve_rest() const;
  void report(std::int64_t stages_done) const;
  [[nodiscard]] Selection finish() const;

  static constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

  const OptionTable& from_;
  const PriceOptions& options_;
  Table table_;
  Assignment best_;
  double count_weight_ = 1;
  double sum_of_values_ = 0;
  double exchanged_ = kNever;  // objective of the plan that exchanges last improved
  std::int64_t iterations_ = 0;
  PlanMaker maker_;
  const Effort effort_;
  GroupedSearches grouped_;             // in the stage of value
  std::int64_t spare_ = effort_.spare;  // 0 once plans turned out to need every card
  std::vector<Prices> prices_;          // [stages]
  std::vector<Proof> proofs_;
  std::vector<OpenNode> open_nodes_ = std::vector<OpenNode>(1);  // what branching left
  std::vector<double> least_skipped_;  // [classes] as the prices of its stage prove
  std::vector<double> seconds_;
  Stopwatch watch_;
};

}  // namespace tonnage::price
