// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An integer program and its solution by branch and cut. Owns: the interface to the solver library.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "host/select/solver/choice_model.hpp"

namespace tonnage {

// Minimise objective * x over integer x with 0 <= x <= most and lower <= row * x <= upper for every
// row.
struct IntegerProgram {
  struct Row {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    std::vector<std::pair<std::int32_t, double>> entries;  // column, coefficient
  };
  std::vector<double> objective;
  std::vector<double> most;  // [columns] whole numbers; empty: 1 each
  std::vector<Row> rows;
};

// The result of a search in floating point: a claim to be checked, not a proof.
struct IntegerAnswer {
  bool finished = false;  // the search ended by itself, not on a limit
  std::vector<double> x;  // empty: no solution found
  std::int64_t work = 0;  // as ExactLimits counts it
  // Lower bound of all solutions, with the tolerances of the search already subtracted.
  double bound = -std::numeric_limits<double>::infinity();
  double tolerance = 0;  // the deduction, twice: how far a proven solution may lie above `bound`
};

// `start` (or empty) is a known solution. Silent; one thread; touches no global
// state.
[[nodiscard]] IntegerAnswer solve_integer_program(const IntegerProgram& program,
                                                  const ExactLimits& limits,
                                                  const std::vector<double>& start);

// A vertex of the linear relaxation of least objective; empty if there is none.
[[nodiscard]] std::vector<double> relax_integer_program(const IntegerProgram& program);

}  // namespace tonnage
