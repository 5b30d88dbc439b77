#include "tonnage/core/spec.hpp"

#include <array>
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

}  // namespace tonnage
