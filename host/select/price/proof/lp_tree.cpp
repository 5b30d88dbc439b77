// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Best-first branch and bound on the LP relaxation of a stage.
#include "host/select/price/proof/lp_tree.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tonnage::price {
namespace {

// Stop after kMaxIdle decisions in a row that raise the bound by less than this share of the gap.
constexpr double kLpProgress = 0.02;
constexpr int kMaxIdlePasses = 16;

struct LpNode {
  std::vector<Decision> decisions;
  double bound;
  Decision next;
};

}  // namespace

double certify(Relaxer& relaxer, const Relaxed& root, const CertifyLimits& limits,
               const std::function<void(const Assignment&)>& see) {
  const std::int64_t first = relaxer.work();
  std::vector<LpNode> nodes{{{}, root.bound, root.next}};
  double proven = root.bound;
  see(root.choices);
  const auto left = [&] { return limits.work - (relaxer.work() - first); };
  for (int idle = 0; idle < kMaxIdlePasses && left() > 0;) {
    const auto at =
        std::min_element(nodes.begin(), nodes.end(),
                         [](const LpNode& a, const LpNode& b) { return a.bound < b.bound; });
    if (at->bound >= limits.enough || at->next.server < 0) break;
    const LpNode node = std::move(*at);
    nodes.erase(at);
    for (const bool takes : {true, false}) {
      std::vector<Decision> decisions = node.decisions;
      decisions.push_back({node.next.server, node.next.option, takes});
      const Relaxed relaxed = relaxer.relax(decisions, limits.enough, left());
      see(relaxed.choices);
      nodes.push_back({std::move(decisions), std::max(node.bound, relaxed.bound), relaxed.next});
    }
    double least = nodes.front().bound;
    for (const LpNode& n : nodes) least = std::min(least, n.bound);
    idle = least - proven > kLpProgress * (limits.enough - proven) ? 0 : idle + 1;
    proven = least;
  }
  return std::min(proven, limits.enough);
}

}  // namespace tonnage::price
