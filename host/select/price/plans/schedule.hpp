// The schedule of plans tried for a stage. Owns: the target and the perturbation of each, and their
// number by fleet size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tonnage::price {

// Values that tie are told apart by adding shares (`jitter`) of a player's spread of values. Where
// servers count, values weigh `factor` times what they do in the search for a bound. Where values
// count, plans are aimed at levels below what they must hold, by a share (`reserve`) of what lies
// between that and the bound of the level. Every `salt` adds other amounts.
struct CountAim {
  double factor, jitter;
  std::uint64_t salt = 0;
};
struct ValueAim {
  double reserve, jitter;
  std::uint64_t salt = 0;
};

// What is tried for a start, the most promising first.
[[nodiscard]] std::span<const CountAim> count_aims(std::int64_t num_players);
[[nodiscard]] std::span<const ValueAim> value_aims(std::int64_t num_players);

// Plans made anew where the best so far is not near its bound: so many at most, and the i-th.
[[nodiscard]] std::int64_t num_count_restarts(std::int64_t num_players);
[[nodiscard]] CountAim count_restart(std::size_t i);
[[nodiscard]] std::int64_t num_value_restarts(std::int64_t num_players);
// `near_share`: of what lies between a level and its bound, what is worth as much as a plan may be
// above its bound to be near.
[[nodiscard]] ValueAim value_restart(std::size_t i, std::int64_t num_players, double near_share);

}  // namespace tonnage::price
