// The searches behind the price solver, each by itself: exact programs over players that are alike
// against dynamic programming, branching against every combination.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "planning.hpp"
#include "price_alike.hpp"
#include "price_branch.hpp"
#include "price_certify.hpp"
#include "support/effort.hpp"
#include "support/fleet.hpp"
#include "support/sampler.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::price {
namespace {

using testing::Sampler;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSlack = 1e-6;
constexpr std::int64_t kWork = 60'000'000;

void add_option(OptionTable& t, double value, std::int64_t cards, std::int32_t type) {
  t.options.push_back({value, value, value, 1, cards, std::ssize(t.options), type, type});
}
void end_server(OptionTable& t, std::int32_t priority) {
  t.first.push_back(std::ssize(t.options));
  t.priority.push_back(priority);
}

// Kinds of servers that differ in what they take; every server of a kind has the same options.
OptionTable alike_servers(Sampler& random, std::int64_t kinds, std::int64_t of_each) {
  OptionTable t;
  t.first.push_back(0);
  std::int64_t wanted = 0;
  for (std::int64_t k = 0; k < kinds; ++k) {
    const std::int64_t here = 2 + k, there = 3 + random.whole(0, 4);
    const auto value = static_cast<double>(10 * here + random.whole(0, 9));
    const double dearer = value + static_cast<double>(random.whole(1, 30));
    for (std::int64_t i = 0; i < of_each; ++i) {
      add_option(t, value, here, 0);
      add_option(t, dearer, there, 1);
      end_server(t, 1);
      wanted += here;
    }
  }
  t.capacity = {wanted * random.whole(30, 70) / 100, wanted * random.whole(60, 120) / 100};
  return t;
}

// A few servers of two classes that compete for few cards.
OptionTable few_servers(Sampler& random) {
  OptionTable from;
  const std::int64_t types = random.whole(1, 3);
  for (std::int64_t t = 0; t < types; ++t) from.capacity.push_back(random.whole(3, 14));
  from.first.push_back(0);
  for (int s = 0; s < 7; ++s) {
    double value = 0;
    for (std::int64_t o = random.whole(1, 3); o > 0; --o) {
      value += static_cast<double>(random.whole(-4, 9));
      add_option(from, value, random.whole(1, 6),
                 static_cast<std::int32_t>(random.whole(0, types - 1)));
    }
    sort_options(std::span(from.options).subspan(static_cast<std::size_t>(from.first.back())));
    end_server(from, 1 + s % 2);
  }
  return from;
}

Stage value_stage(const Table& table, std::int64_t may_skip) {
  Stage stage;
  stage.num_classes = table.num_classes();
  stage.skip_cost.assign(static_cast<std::size_t>(stage.num_classes), 0.0);
  stage.may_skip.assign(static_cast<std::size_t>(stage.num_classes), may_skip);
  return stage;
}

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
    if (p == table_.first_player[stage_.num_classes]) {
      least_ = std::min(least_, sum);
      return;
    }
    const std::int32_t rank = table_.class_of[p];
    if (may_skip_[rank] > 0 && may(p, Packing::kNone)) {
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

  [[nodiscard]] bool may(std::int64_t player, std::int64_t option) const {
    return std::all_of(decisions_.begin(), decisions_.end(), [&](const Decision& d) {
      return d.player != player || (d.option == option) == d.takes;
    });
  }

  const Table& table_;
  const Stage& stage_;
  const std::vector<Decision> decisions_;
  std::vector<std::int64_t> left_, may_skip_;
  double least_ = kInfinity;
};

// The same for two types of cards and nobody without, over all that may be left of either.
double least_by_cards_left(const Table& table) {
  const std::int64_t rows = table.capacity[0] + 1, columns = table.capacity[1] + 1;
  std::vector<double> least(static_cast<std::size_t>(rows * columns), kInfinity);
  least.back() = 0;
  for (std::int64_t p = 0; p < table.num_players(); ++p) {
    std::vector<double> next(least.size(), kInfinity);
    for (const FlatOption& o : table.options_of(p)) {
      const std::int64_t a = o.type == 0 ? o.whole_cards() : 0;
      const std::int64_t b = o.type == 1 ? o.whole_cards() : 0;
      for (std::int64_t i = a; i < rows; ++i) {
        for (std::int64_t j = b; j < columns; ++j) {
          double& to = next[static_cast<std::size_t>((i - a) * columns + j - b)];
          to = std::min(to, least[static_cast<std::size_t>(i * columns + j)] + o.value);
        }
      }
    }
    least = std::move(next);
  }
  return *std::min_element(least.begin(), least.end());
}

Prices best_prices(const Table& table, const Stage& stage) {
  std::int64_t passes = 0;
  return maximise_dual(table, stage, zero_prices(table, stage), 1e-10, 1, passes);
}

// Every move counts, whatever it costs; of one effect `per_kind`.
AlikeLimits all_moves(std::size_t per_kind, std::size_t max_moves) {
  AlikeLimits limits;
  limits.max_rise = kInfinity;
  limits.tie = 1e-6;
  limits.per_kind = per_kind;
  limits.max_moves = max_moves;
  limits.work = 10'000'000;
  return limits;
}

Packing rounded_at_node(PlanMaker& maker, const Table&, const Stage& stage, const Prices& prices,
                        double, const std::vector<double>&) {
  return maker.round_jittered(stage, prices, 1e-3);
}

// Who must be served and has no other choice pays whatever the cards cost, so that no price of
// theirs is better than another.
TEST(PriceSearch, PricesOfWhatNobodyAvoidsStaySmall) {
  OptionTable from;
  from.capacity = {4, 9};
  from.first.push_back(0);
  add_option(from, 100, 4, 0);
  end_server(from, 1);
  for (int s = 0; s < 5; ++s) {
    add_option(from, 40, 2, 1);
    add_option(from, 70, 0, -1);
    end_server(from, 1);
  }
  const Table table = flatten(from);
  const Stage stage = value_stage(table, 0);
  const Prices prices = best_prices(table, stage);
  EXPECT_LT(prices.resource[0], 1e5);
  EXPECT_NEAR(prices.resource[1], 15, 1e-3);
  EXPECT_NEAR(respond(table, stage, prices, 1).bound(), 100 + 5 * 70 - 4.5 * 30, 1e-3);
}

// Prices that prove that a stage has no plan need not rise any further.
TEST(PriceSearch, PricesOfStagesWithoutPlansAreFoundSoon) {
  Sampler random;
  const OptionTable from = alike_servers(random, 3, 40);
  const Table table = flatten(from);
  Stage stage = value_stage(table, 0);
  std::int64_t passes = 0;
  double most = 0;
  for (std::int64_t p = 0; p < table.num_players(); ++p) most += table.options_of(p).back().value;
  Table scarce = table;
  for (std::int64_t& c : scarce.capacity) c /= 4;
  const Prices prices = maximise_dual(scarce, stage, zero_prices(scarce, stage), 1e-10, 1, passes);
  EXPECT_GT(respond(scarce, stage, prices, 1).bound(), most);
  EXPECT_LE(passes, 120);
}

TEST(PriceSearch, PlansThatDoNotHoldComeCloser) {
  Sampler random;
  int held = 0, tables = 0;
  for (int i = 0; i < testing::tries(40); ++i) {
    const Table table = flatten(alike_servers(random, 3, 40));
    const Stage stage = value_stage(table, 0);
    const Prices prices = best_prices(table, stage);
    if (least_by_cards_left(table) == kInfinity) continue;
    AlikeLimits limits = all_moves(8, 100);
    limits.excess = 4;
    Packing plan = cheapest_choices(table, stage, prices, 1);
    const auto lacking = [&] { return lack(table, stage, plan); };
    ++tables;
    for (int search = 0; search < 20 && lacking() > 0; ++search, limits.excess *= 4) {
      const Packing before = plan;
      if (!move_alike(table, stage, prices, limits, plan).better) break;
      bool changed = false;
      for (std::int64_t p = 0; p < plan.num_players(); ++p) {
        changed = changed || plan.option_of(p) != before.option_of(p);
      }
      EXPECT_TRUE(changed) << "table " << i;
    }
    held += lacking() == 0;
  }
  ASSERT_GT(tables, testing::tries(40) / 4);
  EXPECT_GT(held, tables / 2);
}

// Whoever may go without frees cards, so that hardly ever something lacks in the end.
TEST(PriceSearch, ExchangesGiveBackWhatLacks) {
  Sampler random;
  int lacked = 0, mended = 0;
  for (int i = 0; i < testing::tries(300); ++i) {
    const Table table = flatten(few_servers(random));
    const Stage stage = value_stage(table, Stage::kNoLimit);
    const Prices prices = best_prices(table, stage);
    Packing plan = cheapest_choices(table, stage, zero_prices(table, stage), 1);
    std::int64_t before = lack(table, stage, plan);
    if (before == 0) continue;
    ++lacked;
    for (int round = 0; round < 30 && before > 0; ++round) {
      exchange(table, stage, prices, 1, plan);
      const std::int64_t now = lack(table, stage, plan);
      ASSERT_LE(now, before) << "table " << i;
      before = now;
    }
    if (before > 0) continue;
    ++mended;
    const double held = plan.value(table);
    exchange(table, stage, prices, 20, plan);
    EXPECT_EQ(lack(table, stage, plan), 0) << "table " << i;
    EXPECT_LE(plan.value(table), held) << "table " << i;
  }
  EXPECT_GT(lacked, testing::tries(300) / 20);
  EXPECT_GT(5 * mended, 4 * lacked);
}

TEST(PriceSearch, NumbersOfAlikeServersComeOutBest) {
  Sampler random;
  int solved = 0;
  for (int i = 0; i < testing::tries(60); ++i) {
    const Table table = flatten(alike_servers(random, 2 + i % 3, 8));
    const Stage stage = value_stage(table, 0);
    const double least = least_by_cards_left(table);
    if (least == kInfinity) continue;
    const Prices prices = best_prices(table, stage);
    const AlikeLimits limits = all_moves(1000, 1000);
    // Everybody's cheapest choice takes more than there is as a rule.
    Packing plan = cheapest_choices(table, stage, prices, 1);
    const AlikeResult result = move_alike(table, stage, prices, limits, plan);
    ASSERT_TRUE(result.finished) << "table " << i;
    ASSERT_TRUE(plan.is_feasible()) << "table " << i;
    ASSERT_FALSE(falls_short(stage, plan)) << "table " << i;
    // Around the first plan that holds the same search must find nothing better.
    EXPECT_NEAR(plan.value(table), least, kSlack) << "table " << i;
    EXPECT_FALSE(move_alike(table, stage, prices, limits, plan).better) << "table " << i;
    ++solved;
  }
  EXPECT_GT(solved, testing::tries(60) / 4);
}

TEST(PriceSearch, AlikeServersStayWithinTheirWork) {
  Sampler random;
  const Table table = flatten(alike_servers(random, 3, 30));
  const Stage stage = value_stage(table, Stage::kNoLimit);
  const Prices prices = best_prices(table, stage);
  AlikeSearches searches(0, 1, 1);
  EXPECT_TRUE(searches.is_spent());
  Packing plan = cheapest_choices(table, stage, prices, 1);
  const double before = plan.value(table);
  searches.settle(table, stage, prices, {-kInfinity, 0, 100, 3}, plan);
  EXPECT_EQ(plan.value(table), before);
}

// Whatever is decided: the bound of what is left, and where the solution is not whole, someone to
// decide about.
TEST(PriceSearch, BoundsOfRelaxationsHold) {
  if (!has_exact_solver()) GTEST_SKIP() << "built without CBC";
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
        const Table tolled = with_tolls(table, stage.value_weight, relaxed.tolls);
        Stage weighted = stage;
        weighted.value_weight = 1;
        const double again =
            respond(tolled, weighted, relaxed.prices, 1).bound() - relaxed.tolls.most;
        EXPECT_NEAR(again, relaxed.bound, 10 * kSlack) << "table " << i;
      }
      // A node above says no more than it may of those below.
      EXPECT_LE(above, least + kSlack) << "table " << i << " depth " << depth;
      above = relaxed.bound;
      if (relaxed.next.player < 0) break;
      decisions.push_back(relaxed.next);
      decisions.back().takes = random.whole(0, 1) == 0;
    }
  }
  EXPECT_GT(raised, testing::tries(300) / 20);
}

// Cuts leave out shares near 0, so that a choice the linear program has may seem to be one it
// lacks: in this fleet of all those tried.
TEST(PriceSearch, RelaxationsKnowTheChoicesTheyHave) {
  if (!has_exact_solver()) GTEST_SKIP() << "built without CBC";
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
      certify(relaxer, root, {kInfinity, kWork / 2}, [&](const Packing&) { ++nodes; });
  EXPECT_GT(bound, root.bound);
  ASSERT_GT(nodes, 10);
  EXPECT_LT(passes, 4 * nodes);
}

// Of tables as small as that the tree leaves nothing open.
TEST(PriceSearch, CertifyingFindsTheLeast) {
  if (!has_exact_solver()) GTEST_SKIP() << "built without CBC";
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
    const double bound = certify(relaxer, root, {enough, kWork}, [&](const Packing& plan) {
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

TEST(PriceSearch, BoundsOfBranchingHold) {
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
    Packing best = maker.round_jittered(stage, prices, 1e-3);
    if (falls_short(stage, best)) continue;
    const Packing before = best;
    Proof proof;
    proof.bound = proof.of_prices = respond(table, stage, prices, 1).bound();
    const double of_prices = proof.bound;
    ASSERT_LE(of_prices, least + kSlack) << "table " << i;
    const BranchLimits limits{1e-9, 1e-9, 60'000'000, i % 2 == 0};
    std::vector<Leaf> leaves(1);
    branch(table, stage, prices, limits, 1, passes, rounded_at_node, leaves, best, proof);
    EXPECT_GE(proof.bound, of_prices) << "table " << i;
    EXPECT_LE(proof.bound, least + kSlack) << "table " << i;
    EXPECT_EQ(proof.of_prices, of_prices) << "table " << i;
    EXPECT_TRUE(best.is_feasible()) << "table " << i;
    EXPECT_FALSE(falls_short(stage, best)) << "table " << i;
    EXPECT_GE(objective_of(table, stage, best), least - kSlack) << "table " << i;
    EXPECT_FALSE(is_better(table, before, best)) << "table " << i;
    for (const Leaf& leaf : leaves) EXPECT_GE(leaf.bound, proof.bound) << "table " << i;
    // The next stage goes on from the leaves that may keep what this one reached.
    Stage next = stage;
    Packing plan = before;
    if (stage.value_weight == 0) {
      next = value_stage(table, Stage::kNoLimit);
      next.may_skip = stage.may_skip;
      next.may_skip.back() = best.skipped(stage.num_classes - 1);
      plan = best;
    }
    std::erase_if(leaves, [&](const Leaf& leaf) {
      return leaf.bound > objective_of(table, stage, best) + kSlack;
    });
    const double next_least = EveryCombination(table, next).least();
    const Prices next_prices = best_prices(table, next);
    Proof further;
    further.bound = further.of_prices = respond(table, next, next_prices, 1).bound();
    went_on += leaves.size() > 1;
    branch(table, next, next_prices, limits, 1, passes, rounded_at_node, leaves, plan, further);
    EXPECT_GE(further.bound, further.of_prices) << "table " << i;
    EXPECT_LE(further.bound, next_least + kSlack) << "table " << i;
    EXPECT_GE(objective_of(table, next, plan), next_least - kSlack) << "table " << i;
    raised += proof.bound > of_prices + kSlack;
  }
  EXPECT_GT(raised, testing::tries(300) / 20);
  EXPECT_GT(went_on, testing::tries(300) / 20);
}

// Cards for one and two thirds of two servers: prices alone think that one and two thirds is what
// is had for them.
TEST(PriceSearch, BranchingClosesWhatPricesLeaveOpen) {
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
  Packing best(table, 1);
  best.put(0, 1);
  best.put(1, 3);
  std::int64_t passes = 0;
  const BranchLimits limits{1e-9, 1e-9, 60'000'000, true};
  std::vector<Leaf> leaves(1);
  branch(table, stage, prices, limits, 1, passes, rounded_at_node, leaves, best, proof);
  EXPECT_EQ(best.value(table), 60);
  EXPECT_NEAR(proof.bound, 60, 1e-4);  // tolls are large numbers
  EXPECT_NEAR(proof.of_prices, 20, kSlack);
}

}  // namespace
}  // namespace tonnage::price
