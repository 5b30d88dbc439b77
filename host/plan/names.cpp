// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Names of solvers, and the version of the library.
#include "tonnage/host/planner.hpp"

namespace tonnage {

std::string_view version() { return TONNAGE_VERSION; }

std::string_view to_string(Solver solver) {
  switch (solver) {
    case Solver::kAuto:
      return "auto";
    case Solver::kUnlimited:
      return "unlimited";
    case Solver::kGreedy:
      return "greedy";
    case Solver::kPrice:
      return "price";
    case Solver::kMilp:
      return "milp";
  }
  return "unknown";
}

bool parse_solver(std::string_view name, Solver& solver) {
  for (const Solver s :
       {Solver::kAuto, Solver::kUnlimited, Solver::kGreedy, Solver::kPrice, Solver::kMilp}) {
    if (name == to_string(s)) {
      solver = s;
      return true;
    }
  }
  return false;
}

}  // namespace tonnage
