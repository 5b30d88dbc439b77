// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Best-first branching on undecided servers with bounds by prices, and plans at the nodes.
#include "host/select/price/proof/price_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "host/base/parallel.hpp"
#include "host/select/price/plans/side_by_side.hpp"

namespace tonnage::price {
namespace {

// Approximate passes to solve a node and to make a plan, and the constant cost of a pass in
// servers.
constexpr std::int64_t kSolvePasses = 120, kPlanPasses = 300, kPassServers = 20000;
// A server is undecided where its choices differ by less than this share of what it pays for cards.
constexpr double kUnfixed = 1e-6;
// Weight of a choice among options relative to one about going without: what one server takes too
// much another frees.
constexpr double kOfOptions = 0.25;
// Stop after kMaxIdle expansions in a row that raise the bound by less than this share of the gap;
// after more if earlier stages left open nodes.
constexpr double kProgress = 0.02;
constexpr int kMaxIdleNodes = 6;

// A table with the decisions of a node in its values.
class Decided {
 public:
  Decided(const Table& table, double value_weight)
      : table_(with_cut_prices(table, value_weight, {})),
        values_(table),
        value_weight_(value_weight) {
    double largest = 1;
    for (const FlatOption& o : table_.options) largest = std::max(largest, std::abs(o.value));
    // A power of two, so that little of a value is lost to it.
    penalty_ = std::exp2(std::ceil(std::log2(largest)) + 6);
  }

  [[nodiscard]] const Table& table() const { return table_; }

  // CutPrices on what decisions exclude, rewards for what they require. A plan that keeps the
  // decisions gains at most the rewards, so bounds hold at any prices. Returns the rewards.
  double decide(const std::vector<Decision>& decisions) {
    double rewards = 0;
    for (const Decision& d : decisions) {
      // Who does not go without takes one of the options.
      const bool any = d.option == Assignment::kNone;
      const bool reward = d.takes != any;
      for (std::int64_t o = table_.first[d.server]; o < table_.first[d.server + 1]; ++o) {
        if (any || o == d.option) table_.options[o].value += reward ? -penalty_ : penalty_;
      }
      if (reward) rewards += penalty_;
    }
    return rewards;
  }
  void undo(const std::vector<Decision>& decisions) {
    for (const Decision& d : decisions) {
      for (std::int64_t o = table_.first[d.server]; o < table_.first[d.server + 1]; ++o) {
        table_.options[o].value = value_weight_ * values_.options[o].value;
      }
    }
  }

 private:
  Table table_;
  const Table& values_;
  double value_weight_;
  double penalty_ = 0;
};

struct Node {
  OpenNode open_node;
  Prices prices;
  double planned;  // the bound of the last node above for which a plan was made
  Decision next{-1, Assignment::kNone, true};  // to branch on; of server -1: none is undecided
};

class Tree {
 public:
  Tree(const Table& table, const Stage& stage, const BranchLimits& limits, int num_threads,
       std::int64_t& iterations, const MakePlan& make, Assignment& best)
      : table_(table),
        stage_(stage),
        relaxed_(stage),
        limits_(limits),
        num_threads_(num_threads),
        iterations_(iterations),
        make_(make),
        best_(best),
        decided_(kSideBySide, Decided(table, stage.value_weight)),
        maker_(decided_.front().table(), num_threads, iterations),
        first_pass_(iterations) {
    relaxed_.value_weight = 1;
  }

  // The bound of the whole tree, whose leaves replace those that it grows from.
  double grow(const Prices& prices, double bound, std::vector<OpenNode>& open_nodes) {
    std::vector<Node> nodes = roots(prices, bound, open_nodes), closed;
    if (limits_.plan_first && nodes.size() == 1) make_plan(nodes.front());
    const int patience = kMaxIdleNodes + static_cast<int>(nodes.size()) - 1;
    int idle = 0;
    while (!nodes.empty() && idle < patience) {
      const auto at = std::min_element(
          nodes.begin(), nodes.end(),
          [](const Node& a, const Node& b) { return a.open_node.bound < b.open_node.bound; });
      if (at->open_node.bound >= value() - limits_.near || !has_work(2 * kSolvePasses)) break;
      Node node = std::move(*at);
      nodes.erase(at);
      const double least = node.open_node.bound;
      const double risen = least - node.planned;
      if (risen > kProgress * (value() - least) && has_work(kPlanPasses)) make_plan(node);
      if (!at_level() || node.next.server < 0) {
        closed.push_back(std::move(node));
        break;
      }
      std::vector<Node> children;
      for (const bool takes : {true, false}) {
        children.push_back(node);
        children.back().open_node.decisions.push_back({node.next.server, node.next.option, takes});
      }
      solve(children);
      for (Node& child : children) {
        (child.open_node.bound < value() ? nodes : closed).push_back(std::move(child));
      }
      idle = bound_of(nodes, closed) - least < kProgress * (value() - least) ? idle + 1 : 0;
    }
    const double grown = at_level() ? bound_of(nodes, closed) : bound;
    open_nodes.clear();
    for (std::vector<Node>* part : {&nodes, &closed}) {
      for (Node& n : *part) open_nodes.push_back(std::move(n.open_node));
    }
    return grown;
  }

 private:
  [[nodiscard]] double value() const { return objective_of(table_, stage_, best_); }

  // Leaves of stages before, as far as there is work for them, and then some; else all in one.
  [[nodiscard]] std::vector<Node> roots(const Prices& prices, double bound,
                                        const std::vector<OpenNode>& open_nodes) {
    std::vector<Node> nodes;
    for (const OpenNode& open_node : open_nodes) {
      nodes.push_back({{open_node.decisions, bound, open_node.least_skipped}, prices, bound});
    }
    if (nodes.size() > 1 && !has_work(2 * kSolvePasses * std::ssize(nodes))) {
      OpenNode& whole = nodes.front().open_node;
      whole.decisions.clear();
      for (const OpenNode& open_node : open_nodes) {
        for (std::size_t k = 0; k < whole.least_skipped.size(); ++k) {
          whole.least_skipped[k] = std::min(whole.least_skipped[k], open_node.least_skipped[k]);
        }
      }
      nodes.resize(1);
    }
    if (nodes.size() == 1 && nodes.front().open_node.decisions.empty()) {
      nodes.front().next = ambiguous(decided_.front().table(), prices);
    } else {
      solve(nodes);
    }
    return nodes;
  }

  // No plan of any of the nodes is below this, nor need one be looked for above the best.
  [[nodiscard]] double bound_of(const std::vector<Node>& nodes,
                                const std::vector<Node>& closed) const {
    double least = value();
    for (const Node& n : nodes) least = std::min(least, n.open_node.bound);
    for (const Node& n : closed) least = std::min(least, n.open_node.bound);
    return least;
  }

  // Whether `passes` more passes are within the work limit.
  [[nodiscard]] bool has_work(std::int64_t passes) const {
    const std::int64_t done = iterations_ - first_pass_ + plans_ * kPlanPasses;
    return (done + passes) * (best_.num_servers() + kPassServers) <= limits_.work;
  }

  // A plan that serves more servers than the stage asks for belongs to another stage.
  [[nodiscard]] bool at_level() const {
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (stage_.may_skip[k] != Stage::kNoLimit && best_.skipped(k) != stage_.may_skip[k]) {
        return false;
      }
    }
    return true;
  }

  // What to branch on: the choice of whom among the undecided pays most for cards.
  [[nodiscard]] Decision ambiguous(const Table& decided, const Prices& prices) const {
    Decision next{-1, Assignment::kNone, true};
    double most = 0;
    for (std::int64_t p = 0; p < best_.num_servers(); ++p) {
      double least = std::numeric_limits<double>::infinity(), second = least;
      std::int64_t option = Assignment::kNone;
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
        offer(o, decided.cost_of(decided.options[o], 1, prices.resource));
      }
      const std::int64_t cheapest = option;
      const double pays = least - decided.options[cheapest].value;
      offer(Assignment::kNone, prices.skip[table_.class_of[p]]);
      if (pays <= most || second - least > kUnfixed * pays) continue;
      const bool may_go = prices.skip[table_.class_of[p]] - least <= kUnfixed * pays;
      const double stake = may_go ? pays : kOfOptions * pays;
      if (stake <= most) continue;
      most = stake;
      next = {p, option, true};
    }
    return next;
  }

  // Prices, bound and what follows of nodes, from prices of others; as many at a time as there are
  // tables.
  void solve(std::vector<Node>& nodes) {
    for (std::size_t first = 0; first < nodes.size(); first += decided_.size()) {
      const std::size_t count = std::min(decided_.size(), nodes.size() - first);
      std::vector<std::int64_t> passes(count, 0);
      const int own_threads = std::max(1, team_size(num_threads_) / static_cast<int>(count));
      parallel_chunks(std::ssize(passes), 1, num_threads_, [&](std::int64_t i, std::int64_t) {
        const auto at = static_cast<std::size_t>(i);
        solve(nodes[first + at], decided_[at], own_threads, passes[at]);
      });
      for (const std::int64_t n : passes) iterations_ += n;
    }
  }
  void solve(Node& node, Decided& decided, int num_threads, std::int64_t& passes) const {
    const double rewards = decided.decide(node.open_node.decisions);
    const Table& table = decided.table();
    node.prices =
        maximise_dual(table, relaxed_, node.prices, limits_.accuracy, num_threads, passes);
    const Response response = respond(table, relaxed_, node.prices, num_threads);
    const double rounding = rewards * static_cast<double>(node.open_node.decisions.size()) *
                            std::numeric_limits<double>::epsilon();
    node.open_node.bound = std::max(node.open_node.bound, response.bound() + rewards - rounding);
    node.next = ambiguous(table, node.prices);
    decided.undo(node.open_node.decisions);
  }

  void make_plan(Node& node) {
    const OpenNode& open_node = node.open_node;
    node.planned = open_node.bound;
    Decided& decided = decided_.front();
    const double rewards = decided.decide(open_node.decisions);
    ++plans_;
    const Assignment plan =
        make_(maker_, decided.table(), relaxed_, node.prices, open_node.bound - rewards, open_node);
    decided.undo(open_node.decisions);
    if (!plan.is_feasible() || falls_short(stage_, plan)) return;
    if (is_better(table_, plan, best_)) best_ = plan.in(table_);
  }

  const Table& table_;
  const Stage& stage_;
  Stage relaxed_;  // the stage of the table with decisions
  const BranchLimits& limits_;
  int num_threads_;
  std::int64_t& iterations_;
  const MakePlan& make_;
  Assignment& best_;
  std::vector<Decided> decided_;
  PlanMaker maker_;
  std::int64_t first_pass_;
  std::int64_t plans_ = 0;  // tried
};

}  // namespace

void branch(const Table& table, const Stage& stage, const Prices& prices,
            const BranchLimits& limits, int num_threads, std::int64_t& iterations,
            const MakePlan& make, std::vector<OpenNode>& open_nodes, Assignment& best,
            Proof& proof) {
  Tree tree(table, stage, limits, num_threads, iterations, make, best);
  proof.bound = std::max(proof.bound, tree.grow(prices, proof.bound, open_nodes));
}

}  // namespace tonnage::price
