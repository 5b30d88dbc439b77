// A 0-1 program and its solution by branch and cut. Owns: the only door to the solver library.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "exact_choice.hpp"

namespace tonnage {

// Minimise objective * x over x in {0,1}^n with lower <= row * x <= upper for every row.
struct BinaryProgram {
  struct Row {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    std::vector<std::pair<std::int32_t, double>> entries;  // column, coefficient
  };
  std::vector<double> objective;
  std::vector<Row> rows;
};

// What the search says, in floating point: a claim to be checked, not a proof.
struct BinaryAnswer {
  bool finished = false;  // the search ended by itself, not on a limit
  std::vector<double> x;  // empty: no solution found
  // No solution is below this: what the tolerances of the search may hide is deducted already.
  double bound = -std::numeric_limits<double>::infinity();
  double tolerance = 0;  // the deduction, twice: how far a proven solution may lie above `bound`
};

// `start` (a 0-1 vector, or empty) is a known solution. Silent; one thread; touches no global
// state.
[[nodiscard]] BinaryAnswer solve_binary_program(const BinaryProgram& program,
                                                const ExactLimits& limits,
                                                const std::vector<double>& start);

// A vertex of the linear relaxation (x in [0, 1]^n) of least objective; empty if there is none.
[[nodiscard]] std::vector<double> relax_binary_program(const BinaryProgram& program);

}  // namespace tonnage
