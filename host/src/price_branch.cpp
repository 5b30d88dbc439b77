#include "price_branch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace tonnage::price {
namespace {

// About what solving a node takes, and a plan beyond its own passes, in passes; and what a pass
// takes beyond its players, in players.
constexpr std::int64_t kSolvePasses = 120, kPlanPasses = 300, kPassPlayers = 20000;
// A player is undecided where its choices differ by less than this share of what it pays for cards.
constexpr double kUndecided = 1e-6;
// What a choice among options is at stake for, as a share of what one about going without is: what
// the one takes too much of the other frees.
constexpr double kOfOptions = 0.25;
// Expansions that raise the bound by less than this share of the gap, so many in a row, are enough.
constexpr double kProgress = 0.02;
constexpr int kMaxIdle = 6;

// Whether a player takes an option; Packing::kNone stands for going without.
struct Decision {
  std::int64_t player, option;
  bool takes;
};

struct Node {
  std::vector<Decision> decisions;
  Prices prices;
  double bound;
  double planned;  // the bound of the last node above for which a plan was made
  Decision next;   // to branch on; of player -1: none is undecided
};

// The table with values as the stage weighs them: tolls are values, also where only players count.
Table weighted(const Table& table, double value_weight) {
  Table result = table;
  for (FlatOption& o : result.options) o.value *= value_weight;
  return result;
}

class Tree {
 public:
  Tree(const Table& table, const Stage& stage, const BranchLimits& limits, int num_threads,
       std::int64_t& iterations, const MakePlan& make, Packing& best)
      : table_(table),
        stage_(stage),
        relaxed_(stage),
        limits_(limits),
        num_threads_(num_threads),
        iterations_(iterations),
        make_(make),
        best_(best),
        decided_(weighted(table, stage.value_weight)),
        maker_(decided_, num_threads, iterations),
        first_pass_(iterations) {
    relaxed_.value_weight = 1;
    double largest = 1;
    for (const FlatOption& o : decided_.options) largest = std::max(largest, std::abs(o.value));
    // A power of two, so that little of a value is lost to it.
    toll_ = std::exp2(std::ceil(std::log2(largest)) + 6);
  }

  // The bound of the whole tree.
  double grow(const Prices& prices, double bound) {
    std::vector<Node> open{{{}, prices, bound, bound, undecided(prices)}};
    if (limits_.plan_first) make_plan(open.front());
    double least_closed = std::numeric_limits<double>::infinity();
    int idle = 0;
    while (!open.empty() && idle < kMaxIdle) {
      const auto at = std::min_element(
          open.begin(), open.end(), [](const Node& a, const Node& b) { return a.bound < b.bound; });
      if (at->bound >= value() - limits_.near) break;
      if (!has_work(2 * kSolvePasses)) break;
      Node node = std::move(*at);
      open.erase(at);
      const double risen = node.bound - node.planned;
      if (risen > kProgress * (value() - node.bound) && has_work(kPlanPasses)) make_plan(node);
      if (!at_level()) return bound;
      if (node.next.player < 0) {
        least_closed = std::min(least_closed, node.bound);
        break;
      }
      for (const bool takes : {true, false}) {
        Node child = solve(node, takes);
        if (child.bound < value()) open.push_back(std::move(child));
      }
      double least = least_closed;
      for (const Node& n : open) least = std::min(least, n.bound);
      idle = least - node.bound < kProgress * (value() - node.bound) ? idle + 1 : 0;
    }
    double least = std::min(least_closed, value());
    for (const Node& n : open) least = std::min(least, n.bound);
    return least;
  }

 private:
  [[nodiscard]] double value() const { return objective_of(table_, stage_, best_); }

  // Whether so many more passes are within the limit.
  [[nodiscard]] bool has_work(std::int64_t passes) const {
    const std::int64_t done = iterations_ - first_pass_ + plans_ * kPlanPasses;
    return (done + passes) * (best_.num_players() + kPassPlayers) <= limits_.work;
  }

  // A plan that serves more players than the stage asks for belongs to another stage.
  [[nodiscard]] bool at_level() const {
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (stage_.may_skip[k] != Stage::kNoLimit && best_.skipped(k) != stage_.may_skip[k]) {
        return false;
      }
    }
    return true;
  }

  // What to branch on: the choice of whom among the undecided pays most for cards.
  [[nodiscard]] Decision undecided(const Prices& prices) const {
    Decision next{-1, Packing::kNone, true};
    double most = 0;
    for (std::int64_t p = 0; p < best_.num_players(); ++p) {
      double least = std::numeric_limits<double>::infinity(), second = least;
      std::int64_t option = Packing::kNone;
      const auto offer = [&](std::int64_t o, double cost) {
        if (cost < least) {
          second = least;
          least = cost;
          option = o;
        } else {
          second = std::min(second, cost);
        }
      };
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
        offer(o, decided_.cost_of(decided_.options[o], 1, prices.resource));
      }
      const std::int64_t cheapest = option;
      const double pays = least - decided_.options[cheapest].value;
      offer(Packing::kNone, prices.skip[table_.class_of[p]]);
      if (pays <= most || second - least > kUndecided * pays) continue;
      const bool may_go = prices.skip[table_.class_of[p]] - least <= kUndecided * pays;
      const double stake = may_go ? pays : kOfOptions * pays;
      if (stake <= most) continue;
      most = stake;
      next = {p, option, true};
    }
    return next;
  }

  // Tolls on what players do not take, rewards for what they do: no plan that keeps the decisions
  // is better off than by the rewards, so bounds hold whatever the prices. Returns the rewards.
  double decide(const std::vector<Decision>& decisions) {
    double rewards = 0;
    for (const Decision& d : decisions) {
      // Who does not go without takes one of the options.
      const bool any = d.option == Packing::kNone;
      const bool reward = d.takes != any;
      for (std::int64_t o = table_.first[d.player]; o < table_.first[d.player + 1]; ++o) {
        if (any || o == d.option) decided_.options[o].value += reward ? -toll_ : toll_;
      }
      if (reward) rewards += toll_;
    }
    return rewards;
  }
  void undo(const std::vector<Decision>& decisions) {
    for (const Decision& d : decisions) {
      for (std::int64_t o = table_.first[d.player]; o < table_.first[d.player + 1]; ++o) {
        decided_.options[o].value = stage_.value_weight * table_.options[o].value;
      }
    }
  }

  [[nodiscard]] Node solve(const Node& parent, bool takes) {
    Node child = parent;
    child.decisions.push_back({parent.next.player, parent.next.option, takes});
    const double rewards = decide(child.decisions);
    child.prices = maximise_dual(decided_, relaxed_, parent.prices, limits_.tolerance, num_threads_,
                                 iterations_);
    const Response response = respond(decided_, relaxed_, child.prices, num_threads_);
    const double rounding = rewards * static_cast<double>(child.decisions.size()) *
                            std::numeric_limits<double>::epsilon();
    child.bound = std::max(parent.bound, response.bound() + rewards - rounding);
    child.next = undecided(child.prices);
    undo(child.decisions);
    return child;
  }

  void make_plan(Node& node) {
    node.planned = node.bound;
    const double rewards = decide(node.decisions);
    ++plans_;
    const Packing plan = make_(maker_, decided_, relaxed_, node.prices, node.bound - rewards);
    undo(node.decisions);
    Packing own(table_, stage_.num_classes);
    for (std::int64_t p = 0; p < own.num_players(); ++p) own.put(p, plan.option_of(p));
    if (!own.is_feasible() || falls_short(stage_, own)) return;
    if (is_better(table_, own, best_)) best_ = std::move(own);
  }

  const Table& table_;
  const Stage& stage_;
  Stage relaxed_;  // the stage of the table with decisions
  const BranchLimits& limits_;
  int num_threads_;
  std::int64_t& iterations_;
  const MakePlan& make_;
  Packing& best_;
  Table decided_;  // the table with the decisions of a node in its values
  PlanMaker maker_;
  std::int64_t first_pass_;
  std::int64_t plans_ = 0;  // tried
  double toll_ = 0;
};

}  // namespace

void branch(const Table& table, const Stage& stage, const Prices& prices,
            const BranchLimits& limits, int num_threads, std::int64_t& iterations,
            const MakePlan& make, Packing& best, Proof& proof) {
  Tree tree(table, stage, limits, num_threads, iterations, make, best);
  proof.bound = std::max(proof.bound, tree.grow(prices, proof.bound));
}

}  // namespace tonnage::price
