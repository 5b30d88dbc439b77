// The problems on which backends are compared: conformance fleets and random ones. Owns: how two
// answers are compared, bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tonnage/core/evaluator.hpp"

namespace tonnage::test {

struct NamedProblem {
  std::string name;
  Problem problem;
};

// Every fleet of the folder that TONNAGE_CONFORMANCE_DIR names; empty where it is not set.
[[nodiscard]] std::vector<NamedProblem> conformance_problems();

// A random fleet with every kind of line: chunk counts that grow, ITL that can turn down, idle and
// unplannable servers, invalid data, targets of every kind, replica counts from one to millions.
// Batch ceilings reach hundreds of thousands, or `longest` where that is above 0.
[[nodiscard]] Problem random_problem(std::int64_t servers, std::uint64_t seed,
                                     std::int64_t longest = 0);

// Fails the running test unless both answers are the same in every bit.
void expect_same_lines(const std::vector<LineOutcome>& got, const std::vector<LineOutcome>& want,
                       const Problem& problem);

}  // namespace tonnage::test
