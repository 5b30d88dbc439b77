// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Which options of a server no other dominates. Owns: the dominance rule: an option dominates
// another whose objective is not lower and that takes at least as much of everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace tonnage {

// A set of points of non-negative amounts, with the query whether one of them is nowhere above a
// given point. Points are added in any order. They stand in k-d trees of doubling sizes (the
// logarithmic method of Bentley and Saxe), so a query visits few of them.
class LowPoints {
 public:
  explicit LowPoints(std::size_t dimensions) : dimensions_(dimensions) {}

  [[nodiscard]] bool any_within(std::span<const std::int64_t> point) const;
  void add(std::span<const std::int64_t> point);

 private:
  // A tree over a power of two of blocks. The root is node 1, node i has the children 2i and 2i +
  // 1, and every leaf holds a block.
  struct Tree {
    std::vector<std::int64_t> points;
    std::vector<std::int64_t> least;  // [nodes] the smallest amount in every dimension
  };
  [[nodiscard]] bool any_in_block(const std::int64_t* points, std::size_t count,
                                  std::span<const std::int64_t> point) const;
  [[nodiscard]] Tree build(const std::vector<std::int64_t>& points) const;

  std::size_t dimensions_;
  std::size_t size_ = 0;
  std::vector<std::int64_t> newest_;  // fewer points than a block has
  std::vector<Tree> trees_;           // [i] of 2^i blocks, or empty
};

// Filters the options of one server, offered in ascending objective.
class Undominated {
 public:
  struct Taken {
    std::int32_t resource;
    std::int64_t amount;
  };
  // Whether no option kept before takes at most as much of everything. If so, this one is kept.
  // Each resource may appear once.
  bool keep(std::span<const Taken> taken);

 private:
  [[nodiscard]] bool is_beaten();
  [[nodiscard]] bool is_beaten_by(const std::vector<std::int32_t>& resources,
                                  const LowPoints& kept);

  // Options kept, by the set of resources they take. An option is dominated only by options whose
  // set is a subset of its own.
  std::map<std::vector<std::int32_t>, LowPoints> kept_;
  // Uses of the current option, ascending in resource, and working space.
  std::vector<Taken> taken_;
  std::vector<std::int32_t> resources_;
  std::vector<std::int64_t> amounts_;
};

}  // namespace tonnage
