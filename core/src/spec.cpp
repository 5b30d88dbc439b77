// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Names of saturation policies, and the default for how many accelerators a server may combine.
#include "tonnage/core/spec.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tonnage {
namespace {

constexpr std::array kPolicyNames = {
    std::pair{SaturationPolicy::kNone, std::string_view("None")},
    std::pair{SaturationPolicy::kPriorityExhaustive, std::string_view("PriorityExhaustive")},
    std::pair{SaturationPolicy::kPriorityRoundRobin, std::string_view("PriorityRoundRobin")},
    std::pair{SaturationPolicy::kRoundRobin, std::string_view("RoundRobin")},
};

}  // namespace

std::string_view to_string(SaturationPolicy policy) {
  for (const auto& [value, name] : kPolicyNames) {
    if (value == policy) return name;
  }
  return "unknown";
}

bool parse_saturation_policy(std::string_view name, SaturationPolicy& policy) {
  for (const auto& [value, known] : kPolicyNames) {
    if (known == name) {
      policy = value;
      return true;
    }
  }
  return false;
}

std::int64_t most_combined_accelerators(std::int64_t num_servers) {
  // Pairs of accelerators: of a server in fleets of medium size, and of all servers together in
  // large and in small ones. The latter have the more splits of a pair to look at.
  constexpr double kOfMedium = 500, kOfLarge = 1e6, kOfSmall = 250e3;
  constexpr std::int64_t kLeast = 4;
  const auto servers = static_cast<double>(std::max<std::int64_t>(1, num_servers));
  const double pairs = std::max(std::min(kOfMedium, kOfLarge / servers), kOfSmall / servers);
  return std::max(kLeast, static_cast<std::int64_t>(std::sqrt(2 * pairs)));
}

}  // namespace tonnage
