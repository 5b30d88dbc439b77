// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The schedule of plans tried for a stage. Owns: the target and the perturbation of each, and their
// number by fleet size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tonnage::price {

// Tied values are perturbed by a share (`perturbation`) of a server's spread of values, with seed
// `seed`. In counting stages values weigh `factor` times what they do in the search for a bound. In
// the value stage plans are made for levels below those required, by a share (`reserve`) of the
// distance between a level and its bound.
struct CountAim {
  double factor, perturbation;
  std::uint64_t seed = 0;
};
struct ValueAim {
  double reserve, perturbation;
  std::uint64_t seed = 0;
};

// What is tried for a start, the most promising first.
[[nodiscard]] std::span<const CountAim> count_aims(std::int64_t num_servers);
[[nodiscard]] std::span<const ValueAim> value_aims(std::int64_t num_servers);

// Restarts while the best plan is not near its bound: their largest number, and the i-th.
[[nodiscard]] std::int64_t num_count_restarts(std::int64_t num_servers);
[[nodiscard]] CountAim count_restart(std::size_t i);
[[nodiscard]] std::int64_t num_value_restarts(std::int64_t num_servers);
// `near_share`: of what lies between a level and its bound, what is worth as much as a plan may be
// above its bound to be near.
[[nodiscard]] ValueAim value_restart(std::size_t i, std::int64_t num_servers, double near_share);

}  // namespace tonnage::price
