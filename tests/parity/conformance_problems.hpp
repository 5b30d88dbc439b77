// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
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

// All fleets of the folder in TONNAGE_CONFORMANCE_DIR; empty if the variable is not set.
[[nodiscard]] std::vector<NamedProblem> conformance_problems();

}  // namespace tonnage::test
