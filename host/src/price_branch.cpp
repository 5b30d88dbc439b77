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
constexpr std::int64_t kSolvePasses = 120, kPlanPasses = 300, kPassPlayers = 4000;
// A player is undecided where its choices differ by less than this share of what it pays for cards.
constexpr double kUndecided = 1e-6;
// Expansions that raise the bound by less than this share of the gap, so many in a row, are enough.
constexpr double kProgress = 0.02;
constexpr int kMaxIdle = 3;
struct Decision {
  std::int64_t player;
  bool served;
};

struct Node {
  std::vector<Decision> decisions;
  Prices prices;
  double bound;
  std::int64_t player;  // to branch on; -1: none is undecided
};

class Tree {
 public:
  Tree(const Table& table, const Stage& stage, const BranchLimits& limits, int num_threads,
       std::int64_t& iterations, const MakePlan& make, Packing& best)
      : table_(table),
        stage_(stage),
        limits_(limits),
        num_threads_(num_threads),
        iterations_(iterations),
        make_(make),
        best_(best),
        decided_(table),
        maker_(decided_, num_threads, iterations),
        first_pass_(iterations) {
    double largest = 1;
    for (const FlatOption& o : table.options) largest = std::max(largest, std::abs(o.value));
    // A power of two, so that little of a value is lost to it.
    toll_ = std::exp2(std::ceil(std::log2(largest)) + 6);
  }

  // The bound of the whole tree.
  double grow(const Prices& prices, double bound) {
    std::vector<Node> open{{{}, prices, bound, undecided(table_, prices)}};
    double least_closed = std::numeric_limits<double>::infinity();
    int idle = 0;
    while (!open.empty() && idle < kMaxIdle) {
      const auto at = std::min_element(open.begin(), open.end(), [](const Node& a, const Node& b) {
        return a.bound < b.bound;
      });
      if (at->bound >= value() - limits_.near) break;
      if (!has_work(2 * kSolvePasses)) break;
      const Node node = std::move(*at);
      open.erase(at);
      if (!node.decisions.empty()) make_plan(node);
      if (!at_level()) return bound;
      if (node.player < 0) {
        least_closed = std::min(least_closed, node.bound);
        break;
      }
      for (const bool served : {false, true}) {
        Node child = solve(node, served);
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
  [[nodiscard]] double value() const { return best_.value(table_); }

  // Whether so many more passes are within the limit.
  [[nodiscard]] bool has_work(std::int64_t passes) const {
    const std::int64_t done = iterations_ - first_pass_ + plans_ * kPlanPasses;
    return (done + passes) * (table_.num_players() + kPassPlayers) <= limits_.work;
  }

  // A plan that serves more players than the stage asks for belongs to another stage.
  [[nodiscard]] bool at_level() const { return best_.skipped() == stage_.may_skip; }

  // Whom to branch on: of the undecided players the one that pays most for cards.
  [[nodiscard]] std::int64_t undecided(const Table& table, const Prices& prices) const {
    std::int64_t player = -1;
    double most = 0;
    for (std::int64_t p = 0; p < table.num_players(); ++p) {
      const std::int32_t rank = table.class_of[p];
      if (!stage_.is_priced(rank)) continue;
      const Cheapest least = cheapest_option(table, stage_.value_weight, prices.resource, p);
      const FlatOption& option = table.options[least.option];
      const double pays = least.cost - stage_.value_weight * option.value;
      if (pays <= most || std::abs(least.cost - prices.skip[rank]) > kUndecided * pays) continue;
      most = pays;
      player = p;
    }
    return player;
  }

  // A toll on the options of those who go without, a reward on those of who is served: no plan that
  // keeps the decisions is worse for it than by the rewards, so bounds hold whatever the prices.
  double decide(const std::vector<Decision>& decisions) {
    double rewards = 0;
    for (const Decision& d : decisions) {
      for (std::int64_t o = table_.first[d.player]; o < table_.first[d.player + 1]; ++o) {
        decided_.options[o].value += d.served ? -toll_ : toll_;
      }
      if (d.served) rewards += toll_;
    }
    return rewards;
  }
  void undo(const std::vector<Decision>& decisions) {
    for (const Decision& d : decisions) {
      for (std::int64_t o = table_.first[d.player]; o < table_.first[d.player + 1]; ++o) {
        decided_.options[o].value = table_.options[o].value;
      }
    }
  }

  [[nodiscard]] Node solve(const Node& parent, bool served) {
    Node child = parent;
    child.decisions.push_back({parent.player, served});
    const double rewards = decide(child.decisions);
    child.prices = maximise_dual(decided_, stage_, parent.prices, limits_.tolerance, num_threads_,
                                 iterations_);
    const Response response = respond(decided_, stage_, child.prices, num_threads_);
    const double rounding = rewards * static_cast<double>(child.decisions.size()) *
                            std::numeric_limits<double>::epsilon();
    child.bound = std::max(parent.bound, response.bound() + rewards - rounding);
    child.player = undecided(decided_, child.prices);
    undo(child.decisions);
    return child;
  }

  void make_plan(const Node& node) {
    if (!has_work(kPlanPasses)) return;
    const double rewards = decide(node.decisions);
    ++plans_;
    const Packing plan = make_(maker_, decided_, node.prices, node.bound - rewards);
    undo(node.decisions);
    Packing own(table_, stage_.num_classes);
    for (std::int64_t p = 0; p < own.num_players(); ++p) own.put(p, plan.option_of(p));
    if (!own.is_feasible() || falls_short(stage_, own)) return;
    if (is_better(table_, own, best_)) best_ = std::move(own);
  }

  const Table& table_;
  const Stage& stage_;
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
  const double bound = tree.grow(prices, proof.bound);
  if (bound > proof.bound) {
    proof.bound = bound;
    proof.from_prices = false;
  }
}

}  // namespace tonnage::price
