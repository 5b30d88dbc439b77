// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Moves of single servers, grouped by their effect on resources. Owns: what a move is, and which
// moves of one effect are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace tonnage::price {

// A server that takes another option, Assignment::kNone included, and by how much that raises its
// cost at the prices.
struct Move {
  double reduced_cost;
  std::int64_t server, to;
};

[[nodiscard]] inline bool by_reduced_cost(const Move& a, const Move& b) {
  return std::tie(a.reduced_cost, a.server, a.to) < std::tie(b.reduced_cost, b.server, b.to);
}
[[nodiscard]] inline bool by_server(const Move& a, const Move& b) {
  return std::tie(a.server, a.to) < std::tie(b.server, b.to);
}

// The cheapest moves of every effect out of any number, in whatever order they come.
class CheapestMoves {
 public:
  struct Limits {
    std::size_t ties = 0;    // of one effect, so many whose rise counts as none
    std::size_t others = 0;  // and so many others
    double tie = 0;          // a rise of at most this much counts as none,
    double fall = 0;         // and so does a fall of at most that much
  };

  explicit CheapestMoves(const Limits& limits) : limits_(limits) {}

  // `effect`: a number that stands for what the move takes and gives back.
  void add(std::uint64_t effect, const Move& move);

  [[nodiscard]] std::vector<Move> all() const;

 private:
  struct Kind {
    std::uint64_t effect;
    std::vector<Move> ties, others;  // heaps, the dearest on top
  };

  [[nodiscard]] Kind& kind_of(std::uint64_t effect);
  // The slot of an effect: that of its kind or a free one.
  [[nodiscard]] std::size_t slot_of(std::uint64_t effect) const;
  void grow();

  Limits limits_;
  std::vector<Kind> kinds_;
  std::vector<std::int64_t> slots_ = std::vector<std::int64_t>(1024, kFree);  // a power of two

  static constexpr std::int64_t kFree = -1;
};

// Hash of a sequence of parts: equal sequences have equal numbers, others almost never.
[[nodiscard]] inline std::uint64_t mixed(std::uint64_t sum, std::uint64_t part) {
  const std::uint64_t x = (sum ^ (part + 0x9e3779b97f4a7c15)) * 0xd6e8feb86659fd93;
  return x ^ (x >> 32);
}

}  // namespace tonnage::price
