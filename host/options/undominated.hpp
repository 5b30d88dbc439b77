// Which options of a server none beats. Owns: the dominance rule. An option beats another that has
// no less objective and takes at least as much of everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace tonnage {

// Points of non-negative amounts: is one of them nowhere above a given point? Added in any order.
// Queries look at few of the points: these stand in k-d trees of doubling sizes.
class LowPoints {
 public:
  explicit LowPoints(std::size_t dimensions) : dimensions_(dimensions) {}

  [[nodiscard]] bool any_within(std::span<const std::int64_t> point) const;
  void add(std::span<const std::int64_t> point);

 private:
  // Of a power of two of blocks. Node i has the children 2i and 2i + 1, the root is 1, and every
  // leaf has a block.
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

// Takes the options of one server one after the other, ascending in objective.
class Undominated {
 public:
  struct Taken {
    std::int32_t resource;
    std::int64_t amount;
  };
  // Whether no option kept before takes at most as much of everything; then this one is kept as
  // well. Every resource at most once.
  bool keep(std::span<const Taken> taken);

 private:
  [[nodiscard]] bool is_beaten();
  [[nodiscard]] bool is_beaten_by(const std::vector<std::int32_t>& resources,
                                  const LowPoints& kept);

  // By the resources that an option takes something of: only one that takes of no others beats it.
  std::map<std::vector<std::int32_t>, LowPoints> kept_;
  // Of the option at hand, ascending in resource; the others are working space.
  std::vector<Taken> taken_;
  std::vector<std::int32_t> resources_;
  std::vector<std::int64_t> amounts_;
};

}  // namespace tonnage
