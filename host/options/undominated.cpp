// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Dominance queries by k-d trees, with one tree for each set of resources that options take.
#include "host/options/undominated.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace tonnage {
namespace {

constexpr std::size_t kBlock = 16;  // points of a leaf

bool is_within(const std::int64_t* low, std::span<const std::int64_t> high) {
  for (std::size_t d = 0; d < high.size(); ++d) {
    if (low[d] > high[d]) return false;
  }
  return true;
}

}  // namespace

bool LowPoints::any_in_block(const std::int64_t* points, std::size_t count,
                             std::span<const std::int64_t> point) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (is_within(points + i * dimensions_, point)) return true;
  }
  return false;
}

bool LowPoints::any_within(std::span<const std::int64_t> point) const {
  if (dimensions_ == 0) return size_ > 0;
  if (any_in_block(newest_.data(), newest_.size() / dimensions_, point)) return true;
  for (const Tree& tree : trees_) {
    if (tree.points.empty()) continue;
    const std::size_t blocks = tree.points.size() / dimensions_ / kBlock;
    // Depth first; at most one second child waits on every level.
    std::array<std::size_t, std::numeric_limits<std::size_t>::digits + 1> waiting{1};
    std::size_t num_waiting = 1;
    while (num_waiting > 0) {
      const std::size_t node = waiting[--num_waiting];
      if (!is_within(&tree.least[node * dimensions_], point)) continue;
      if (node < blocks) {
        waiting[num_waiting++] = 2 * node + 1;
        waiting[num_waiting++] = 2 * node;
      } else if (any_in_block(&tree.points[(node - blocks) * kBlock * dimensions_], kBlock,
                              point)) {
        return true;
      }
    }
  }
  return false;
}

void LowPoints::add(std::span<const std::int64_t> point) {
  ++size_;
  newest_.insert(newest_.end(), point.begin(), point.end());
  if (dimensions_ == 0 || newest_.size() < kBlock * dimensions_) return;
  // Like a binary counter: a full block carries into the first empty place.
  std::size_t place = 0;
  for (; place < trees_.size() && !trees_[place].points.empty(); ++place) {
    const std::vector<std::int64_t>& points = trees_[place].points;
    newest_.insert(newest_.end(), points.begin(), points.end());
    trees_[place] = {};
  }
  if (place == trees_.size()) trees_.emplace_back();
  trees_[place] = build(newest_);
  newest_.clear();
}

LowPoints::Tree LowPoints::build(const std::vector<std::int64_t>& points) const {
  const std::size_t count = points.size() / dimensions_;
  const std::size_t blocks = count / kBlock;
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Tree tree;
  tree.least.assign(2 * blocks * dimensions_, std::numeric_limits<std::int64_t>::max());
  // Every level halves its nodes along the next dimension.
  std::size_t dimension = 0;
  for (std::size_t nodes = 1; nodes < blocks; nodes *= 2, ++dimension) {
    const auto size = static_cast<std::ptrdiff_t>(count / nodes);
    for (auto first = order.begin(); first != order.end(); first += size) {
      std::nth_element(first, first + size / 2, first + size, [&](std::size_t a, std::size_t b) {
        const std::size_t d = dimension % dimensions_;
        return points[a * dimensions_ + d] < points[b * dimensions_ + d];
      });
    }
  }
  tree.points.reserve(points.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t* least = &tree.least[(blocks + i / kBlock) * dimensions_];
    for (std::size_t d = 0; d < dimensions_; ++d) {
      tree.points.push_back(points[order[i] * dimensions_ + d]);
      least[d] = std::min(least[d], tree.points.back());
    }
  }
  for (std::size_t node = blocks - 1; node > 0; --node) {
    for (std::size_t d = 0; d < dimensions_; ++d) {
      tree.least[node * dimensions_ + d] = std::min(tree.least[2 * node * dimensions_ + d],
                                                    tree.least[(2 * node + 1) * dimensions_ + d]);
    }
  }
  return tree;
}

bool Undominated::keep(std::span<const Taken> taken) {
  taken_.clear();
  for (const Taken& t : taken) {
    if (t.amount > 0) taken_.push_back(t);
  }
  std::sort(taken_.begin(), taken_.end(),
            [](const Taken& a, const Taken& b) { return a.resource < b.resource; });
  if (is_beaten()) return false;
  resources_.clear();
  amounts_.clear();
  for (const Taken& t : taken_) {
    resources_.push_back(t.resource);
    amounts_.push_back(t.amount);
  }
  kept_.try_emplace(resources_, resources_.size()).first->second.add(amounts_);
  return true;
}

bool Undominated::is_beaten() {
  // Visits either every subset of the resources or every group, whichever is fewer.
  if (taken_.size() >= 16 || (std::size_t{1} << taken_.size()) > kept_.size()) {
    return std::any_of(kept_.begin(), kept_.end(),
                       [&](const auto& group) { return is_beaten_by(group.first, group.second); });
  }
  for (std::size_t chosen = 0; chosen < std::size_t{1} << taken_.size(); ++chosen) {
    resources_.clear();
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (chosen >> i & 1) resources_.push_back(taken_[i].resource);
    }
    const auto group = kept_.find(resources_);
    if (group != kept_.end() && is_beaten_by(group->first, group->second)) return true;
  }
  return false;
}

bool Undominated::is_beaten_by(const std::vector<std::int32_t>& resources, const LowPoints& kept) {
  amounts_.clear();
  auto mine = taken_.begin();
  for (const std::int32_t resource : resources) {
    while (mine != taken_.end() && mine->resource < resource) ++mine;
    if (mine == taken_.end() || mine->resource != resource) return false;
    amounts_.push_back(mine->amount);
  }
  return kept.any_within(amounts_);
}

}  // namespace tonnage
