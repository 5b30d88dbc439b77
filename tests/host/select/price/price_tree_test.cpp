// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Relaxations, decisions on them and branching, against every combination.
#include "host/select/price/proof/price_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "host/plan/planning.hpp"
#include "host/select/price/proof/lp_tree.hpp"
#include "price_cases.hpp"
#include "support/effort.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/generate.hpp"

namespace tonnage::price {
namespace {

using testing::Sampler;

constexpr std::int64_t kWork = 60'000'000;

// A stage of value, or where servers count one of them.
Stage any_stage(Sampler& random, const Table& table, bool counts) {
  Stage stage = value_stage(table, random.whole(0, 1) == 0 ? Stage::kNoLimit : 2);
  if (counts) {
    stage.value_weight = 0;
    stage.skip_cost.back() = 1;
    stage.may_skip.back() = Stage::kNoLimit;
  }
  return stage;
}

// Least objective of a stage over every combination, infinite where none holds.
class EveryCombination {
 public:
  EveryCombination(const Table& table, const Stage& stage, std::vector<Decision> decisions = {})
      : table_(table), stage_(stage), decisions_(std::move(decisions)) {}

  double least() {
    left_ = table_.capacity;
    may_skip_ = stage_.may_skip;
    visit(0, 0);
    return least_;
  }

 private:
  void visit(std::int64_t p, double sum) {
    if (p == table_.first_server[stage_.num_classes]) {
      least_ = std::min(least_, sum);
      return;
    }
    const std::int32_t rank = table_.class_of[p];
    if (may_skip_[rank] > 0 && may(p, Assignment::kNone)) {
      may_skip_[rank] -= may_skip_[rank] != Stage::kNoLimit;
      visit(p + 1, sum + stage_.skip_cost[rank]);
      may_skip_[rank] += may_skip_[rank] != Stage::kNoLimit;
    }
    for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
      const FlatOption& option = table_.options[o];
      if (left_[option.type] < option.whole_cards() || !may(p, o)) continue;
      left_[option.type] -= option.whole_cards();
      visit(p + 1, sum + stage_.value_weight * option.value);
      left_[option.type] += option.whole_cards();
    }
  }

  [[nodiscard]] bool may(std::int64_t server, std::int64_t option) const {
    return std::all_of(decisions_.begin(), decisions_.end(), [&](const Decision& d) {
      return d.server != server || (d.option == option) == d.takes;
    });
  }

  const Table& table_;
  const Stage& stage_;
  const std::vector<Decision> decisions_;
  std::vector<std::int64_t> left_, may_skip_;
  double least_ = kInfinity;
};

Assignment rounded_at_node(PlanMaker& maker, const Table&, const Stage& stage, const Prices& prices,
                           double, const OpenNode&) {
  return maker.round_perturbed(stage, prices, 1e-3);
}

// For any branching decisions the bound holds, and a fractional solution names a server to branch
// on.
TEST(PriceTree, BoundsOfRelaxationsHold) {
  Sampler random;
  int raised = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const OptionTable from = few_servers(random);
    const Table table = flatten(from);
    const Stage stage = any_stage(random, table, i % 3 == 0);
    const Prices prices = best_prices(table, stage);
    const double of_prices = respond(table, stage, prices, 1).bound();
    std::int64_t passes = 0;
    Relaxer relaxer(table, stage, prices, 1, passes);
    std::vector<Decision> decisions;
    double above = -kInfinity;
    for (int depth = 0; depth < 4; ++depth) {
      const double least = EveryCombination(table, stage, decisions).least();
      const Relaxed relaxed = relaxer.relax(decisions, kInfinity, kWork);
      EXPECT_LE(relaxed.bound, least + kSlack) << "table " << i << " depth " << depth;
      if (least == kInfinity) break;
      if (depth == 0) {
        EXPECT_GE(relaxed.bound, of_prices) << "table " << i;
        raised += relaxed.bound > of_prices + kSlack;
        const Table with_cuts = with_cut_prices(table, stage.value_weight, relaxed.cut_prices);
        Stage weighted = stage;
        weighted.value_weight = 1;
        const double again =
            respond(with_cuts, weighted, relaxed.prices, 1).bound() - relaxed.cut_prices.most;
        EXPECT_NEAR(again, relaxed.bound, 10 * kSlack) << "table " << i;
      }
      // A node proves no more than the nodes below it.
      EXPECT_LE(above, least + kSlack) << "table " << i << " depth " << depth;
      above = relaxed.bound;
      if (relaxed.next.server < 0) break;
      decisions.push_back(relaxed.next);
      decisions.back().takes = random.whole(0, 1) == 0;
    }
  }
  EXPECT_GT(raised, testing::tries(300) / 20);
}

// Cuts drop shares near 0, so that a choice of the linear program may look missing. Of all fleets
// tried this one shows it.
TEST(PriceTree, RelaxationsAddNoColumnTwice) {
  GenerateOptions options;
  options.servers = 300;
  options.accelerators = 24;
  options.tightness = 0.95;
  options.seed = 1004;
  const System system(generate_fleet(options));
  const Problem problem = build_rows(system, 0);
  const Table table =
      flatten(build_options(problem, select_backend("cpu")->search(problem, {}).lines));
  Stage stage = value_stage(table, 0);
  stage.may_skip.back() = 2;
  const Prices prices = best_prices(table, stage);
  std::int64_t passes = 0;
  Relaxer relaxer(table, stage, prices, 1, passes);
  const Relaxed root = relaxer.relax({}, kInfinity, kWork);
  std::int64_t nodes = 0;
  passes = 0;
  const double bound =
      certify(relaxer, root, {kInfinity, kWork / 2}, [&](const Assignment&) { ++nodes; });
  EXPECT_GT(bound, root.bound);
  ASSERT_GT(nodes, 10);
  EXPECT_LT(passes, 4 * nodes);
}

// The tree closes the gap of tables this small.
TEST(PriceTree, CertifyingClosesTheGap) {
  Sampler random;
  int raised = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const Table table = flatten(few_servers(random));
    const Stage stage = value_stage(table, random.whole(0, 1) == 0 ? Stage::kNoLimit : 2);
    const double least = EveryCombination(table, stage).least();
    if (least == kInfinity) continue;
    const Prices prices = best_prices(table, stage);
    std::int64_t passes = 0;
    Relaxer relaxer(table, stage, prices, 1, passes);
    const double enough = least + 5;
    const Relaxed root = relaxer.relax({}, enough, 0);
    double seen = kInfinity;
    const double bound = certify(relaxer, root, {enough, kWork}, [&](const Assignment& plan) {
      if (!plan.is_feasible() || falls_short(stage, plan)) return;
      seen = std::min(seen, objective_of(table, stage, plan));
      EXPECT_GE(seen, least - kSlack) << "table " << i;
    });
    EXPECT_LE(bound, least + kSlack) << "table " << i;
    EXPECT_GE(bound, root.bound) << "table " << i;
    EXPECT_NEAR(bound, least, 1e-4) << "table " << i;
    EXPECT_NEAR(seen, least, kSlack) << "table " << i;
    raised += bound > root.bound + kSlack;
  }
  EXPECT_GT(raised, testing::tries(300) / 20);
}

TEST(PriceTree, BoundsOfBranchingHold) {
  Sampler random;
  int raised = 0, went_on = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const OptionTable from = few_servers(random);
    const Table table = flatten(from);
    const Stage stage = any_stage(random, table, i % 3 == 0);
    const double least = EveryCombination(table, stage).least();
    if (least == kInfinity) continue;
    const Prices prices = best_prices(table, stage);
    std::int64_t passes = 0;
    PlanMaker maker(table, 1, passes);
    Assignment best = maker.round_perturbed(stage, prices, 1e-3);
    if (falls_short(stage, best)) continue;
    const Assignment before = best;
    Proof proof;
    proof.bound = proof.of_prices = respond(table, stage, prices, 1).bound();
    const double of_prices = proof.bound;
    ASSERT_LE(of_prices, least + kSlack) << "table " << i;
    const BranchLimits limits{1e-9, {1e-9, i % 3 == 0}, 60'000'000, i % 2 == 0};
    std::vector<OpenNode> open_nodes(1);
    branch(table, stage, prices, limits, 1, passes, rounded_at_node, open_nodes, best, proof);
    EXPECT_GE(proof.bound, of_prices) << "table " << i;
    EXPECT_LE(proof.bound, least + kSlack) << "table " << i;
    EXPECT_EQ(proof.of_prices, of_prices) << "table " << i;
    EXPECT_TRUE(best.is_feasible()) << "table " << i;
    EXPECT_FALSE(falls_short(stage, best)) << "table " << i;
    EXPECT_GE(objective_of(table, stage, best), least - kSlack) << "table " << i;
    EXPECT_FALSE(is_better(table, before, best)) << "table " << i;
    for (const OpenNode& open_node : open_nodes)
      EXPECT_GE(open_node.bound, proof.bound) << "table " << i;
    // The next stage goes on from the leaves that may keep what this one reached.
    Stage next = stage;
    Assignment plan = before;
    if (stage.value_weight == 0) {
      next = value_stage(table, Stage::kNoLimit);
      next.may_skip = stage.may_skip;
      next.may_skip.back() = best.skipped(stage.num_classes - 1);
      plan = best;
    }
    std::erase_if(open_nodes, [&](const OpenNode& open_node) {
      return open_node.bound > objective_of(table, stage, best) + kSlack;
    });
    const double next_least = EveryCombination(table, next).least();
    const Prices next_prices = best_prices(table, next);
    Proof further;
    further.bound = further.of_prices = respond(table, next, next_prices, 1).bound();
    went_on += open_nodes.size() > 1;
    branch(table, next, next_prices, limits, 1, passes, rounded_at_node, open_nodes, plan, further);
    EXPECT_GE(further.bound, further.of_prices) << "table " << i;
    EXPECT_LE(further.bound, next_least + kSlack) << "table " << i;
    EXPECT_GE(objective_of(table, next, plan), next_least - kSlack) << "table " << i;
    raised += proof.bound > of_prices + kSlack;
  }
  EXPECT_GT(raised, testing::tries(300) / 60);
  EXPECT_GT(went_on, testing::tries(300) / 60);
}

// Cards for one and two thirds of two servers: by prices alone one and two thirds can be served.
TEST(PriceTree, BranchingClosesTheGapOfPrices) {
  OptionTable from;
  from.capacity = {10};
  from.first.push_back(0);
  for (int s = 0; s < 2; ++s) {
    add_option(from, 0, 6, 0);
    add_option(from, 60, 0, -1);
    end_server(from, 1);
  }
  const Table table = flatten(from);
  const Stage stage = value_stage(table, 0);
  const Prices prices = best_prices(table, stage);
  Proof proof;
  proof.bound = proof.of_prices = respond(table, stage, prices, 1).bound();
  EXPECT_NEAR(proof.bound, 20, kSlack);
  Assignment best(table, 1);
  best.put(0, 1);
  best.put(1, 3);
  std::int64_t passes = 0;
  const BranchLimits limits{1e-9, {1e-9, false}, 60'000'000, true};
  std::vector<OpenNode> open_nodes(1);
  branch(table, stage, prices, limits, 1, passes, rounded_at_node, open_nodes, best, proof);
  EXPECT_EQ(best.value(table), 60);
  EXPECT_NEAR(proof.bound, 60, 1e-4);  // cut prices are large numbers
  EXPECT_NEAR(proof.of_prices, 20, kSlack);
}

}  // namespace
}  // namespace tonnage::price
