// The conformance fleets as problems on which backends are compared.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/problem.hpp"

namespace tonnage::test {

struct NamedProblem {
  std::string name;
  Problem problem;
};

// Every fleet of the folder that TONNAGE_CONFORMANCE_DIR names; empty where it is not set.
[[nodiscard]] std::vector<NamedProblem> conformance_problems();

}  // namespace tonnage::test
