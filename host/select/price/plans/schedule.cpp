// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The schedule of targets and perturbations for the plans of a stage, by fleet size.
#include "host/select/price/plans/schedule.hpp"

#include <algorithm>
#include <iterator>

#include "host/select/price/model/table.hpp"
#include "host/select/solver/choice_model.hpp"

namespace tonnage::price {
namespace {

constexpr CountAim kCountAims[] = {{100, 1e-3}, {10, 1e-2}, {1, 0.1}, {100, 1e-2},
                                   {10, 0.1},   {1, 1},     {1, 0}};
constexpr ValueAim kValueAims[] = {{0.5, 1e-4}, {0.2, 1e-3}, {0.8, 1e-3}, {0.5, 1e-2}, {0.2, 1e-4},
                                   {0.8, 1e-4}, {0.5, 1e-3}, {0.2, 1e-2}, {0.8, 1e-2}};
// Targets tried; fewer where they take long or an exact search replaces them.
constexpr std::int64_t kMinAims = 4, kMinExactAims = 1, kAimedServers = 600000;
// Restarts, fewer where they take long, and the most successful targets, which they use.
constexpr std::int64_t kMinRestarts = 2, kMaxRestarts = 24, kRestartedServers = 600000;
constexpr std::size_t kRestartedAims = 4;
// Whether a plan holds the levels is mostly chance; among those that do, low reserves give the
// best.
constexpr double kReserves[] = {0.3, 0.5, 0.1, 0.7};
constexpr double kJitters[] = {1e-2, 1e-3, 1e-4};
// Where an exact search makes them hold.
constexpr double kExactReserves[] = {0.3, 0.1, 0.6, 0.2, 0.45, 0.02};
constexpr double kExactJitters[] = {1e-4, 1e-3, 1e-2};
constexpr std::int64_t kExactRestarts = 8, kLargeRestarts = 4;
// For large fleets: shares of the near distance, since plans come that close; perturbations of so
// many values must not add up to more.
constexpr double kLargeReserves[] = {0.5, 0.25, 0.75, 0.1, 0.6, 0.35, 0.9, 0.05};
constexpr double kLargeJitters[] = {1e-4, 1e-3, 3e-4, 3e-5};

template <class Aim, std::size_t kCount>
std::span<const Aim> worthwhile(const Aim (&aims)[kCount], std::int64_t num_servers) {
  const std::int64_t least = has_exact_solver() ? kMinExactAims : kMinAims;
  const std::int64_t most =
      std::clamp<std::int64_t>(kAimedServers / (num_servers + 1), least, kCount);
  return std::span<const Aim>(aims).first(static_cast<std::size_t>(most));
}

std::int64_t num_restarts(std::int64_t num_servers) {
  return std::clamp(kRestartedServers / (num_servers + 1), kMinRestarts, kMaxRestarts);
}

}  // namespace

std::span<const CountAim> count_aims(std::int64_t num_servers) {
  return worthwhile(kCountAims, num_servers);
}
std::span<const ValueAim> value_aims(std::int64_t num_servers) {
  return worthwhile(kValueAims, num_servers);
}

std::int64_t num_count_restarts(std::int64_t num_servers) {
  return has_exact_solver() ? 0 : num_restarts(num_servers);
}
CountAim count_restart(std::size_t i) {
  CountAim aim = kCountAims[i % kRestartedAims];
  aim.seed = 1 + i / kRestartedAims;
  return aim;
}

std::int64_t num_value_restarts(std::int64_t num_servers) {
  if (!has_exact_solver()) return num_restarts(num_servers);
  return num_servers > kLarge ? kLargeRestarts : kExactRestarts;
}
ValueAim value_restart(std::size_t i, std::int64_t num_servers, double near_share) {
  if (has_exact_solver() && num_servers > kLarge) {
    return {near_share * kLargeReserves[i % std::size(kLargeReserves)],
            kLargeJitters[i % std::size(kLargeJitters)], i};
  }
  if (has_exact_solver()) {
    constexpr std::size_t kCount = std::size(kExactJitters);
    return {kExactReserves[i % std::size(kExactReserves)], kExactJitters[i % kCount], i / kCount};
  }
  constexpr std::size_t kCount = std::size(kJitters);
  return {kReserves[i % std::size(kReserves)], kJitters[i % kCount], 1 + i / kCount};
}

}  // namespace tonnage::price
