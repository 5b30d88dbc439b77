// Branch and cut through CBC's classes. The front end that CBC's own command and C interface share
// is left aside: it takes over signals and keeps global state.
#include <CbcModel.hpp>  // before the others, which need it

#include <CbcCutGenerator.hpp>
#include <CbcHeuristic.hpp>
#include <CbcHeuristicDiveCoefficient.hpp>
#include <CbcHeuristicDiveGuided.hpp>
#include <CbcHeuristicRINS.hpp>
#include <CglClique.hpp>
#include <CglGomory.hpp>
#include <CglKnapsackCover.hpp>
#include <CglMixedIntegerRounding2.hpp>
#include <CglProbing.hpp>
#include <CglZeroHalf.hpp>
#include <CoinError.hpp>
#include <CoinPackedMatrix.hpp>
#include <OsiClpSolverInterface.hpp>
#include <algorithm>
#include <cmath>

#include "binary_program.hpp"

namespace tonnage {
namespace {

constexpr int kSeed = 20240229;
// The tolerances of the search are absolute, so objectives are scaled (by a power of two, which
// rounds nothing) to about this size.
constexpr double kLargestCoefficient = 1024;
// A solution better by less than this is not looked for.
constexpr double kIncrement = 1e-6;
// Dual infeasibility that the linear programs may leave on each variable.
constexpr double kDualTolerance = 1e-7;

double scale_of(const BinaryProgram& program) {
  double largest = 0;
  for (const double c : program.objective) largest = std::max(largest, std::abs(c));
  return largest > 0 ? std::exp2(std::floor(std::log2(kLargestCoefficient / largest))) : 1;
}

void load(const BinaryProgram& program, double scale, OsiClpSolverInterface& solver) {
  const int columns = static_cast<int>(program.objective.size());
  CoinPackedMatrix matrix(/*colordered=*/false, 0, 0);
  matrix.setDimensions(0, columns);
  std::vector<double> row_lower, row_upper;
  std::vector<int> indices;
  std::vector<double> elements;
  for (const BinaryProgram::Row& row : program.rows) {
    indices.clear();
    elements.clear();
    for (const auto& [column, coefficient] : row.entries) {
      indices.push_back(column);
      elements.push_back(coefficient);
    }
    matrix.appendRow(static_cast<int>(indices.size()), indices.data(), elements.data());
    row_lower.push_back(std::isinf(row.lower) ? -solver.getInfinity() : row.lower);
    row_upper.push_back(std::isinf(row.upper) ? solver.getInfinity() : row.upper);
  }
  const std::vector<double> zeros(program.objective.size(), 0.0);
  const std::vector<double> ones(program.objective.size(), 1.0);
  std::vector<double> objective(program.objective);
  for (double& c : objective) c *= scale;
  solver.loadProblem(matrix, zeros.data(), ones.data(), objective.data(), row_lower.data(),
                     row_upper.data());
  for (int j = 0; j < columns; ++j) solver.setInteger(j);
}

void add_cuts(CbcModel& model) {
  constexpr int kWhereUseful = -1;  // at the root; below it where they paid there
  constexpr int kRootOnly = -99;
  CglProbing probing;
  probing.setUsingObjective(1);
  probing.setMaxPass(1);
  probing.setMaxPassRoot(1);
  probing.setMaxProbe(10);
  probing.setMaxLook(10);
  probing.setMaxLookRoot(50);
  probing.setRowCuts(3);
  model.addCutGenerator(&probing, kWhereUseful, "probing");
  CglKnapsackCover cover;
  model.addCutGenerator(&cover, kWhereUseful, "cover");
  CglMixedIntegerRounding2 rounding;
  model.addCutGenerator(&rounding, kWhereUseful, "rounding");
  CglGomory gomory;
  gomory.setLimit(100);
  gomory.setLimitAtRoot(500);
  model.addCutGenerator(&gomory, kWhereUseful, "gomory");
  CglClique clique;
  clique.setStarCliqueReport(false);
  clique.setRowCliqueReport(false);
  model.addCutGenerator(&clique, kRootOnly, "clique");
  CglZeroHalf zero_half;
  model.addCutGenerator(&zero_half, kRootOnly, "zero half");
}

void add_heuristics(CbcModel& model) {
  CbcRounding rounding(model);
  model.addHeuristic(&rounding);
  CbcHeuristicDiveCoefficient dive(model);
  model.addHeuristic(&dive);
  CbcHeuristicDiveGuided guided(model);
  model.addHeuristic(&guided);
  CbcHeuristicRINS neighbourhood(model);
  neighbourhood.setHowOften(100);
  model.addHeuristic(&neighbourhood);
}

void configure(const ExactLimits& limits, double scale, CbcModel& model) {
  model.setLogLevel(0);
  model.solver()->messageHandler()->setLogLevel(0);
  model.setRandomSeed(kSeed);
  model.setIntegerTolerance(1e-7);
  model.setAllowableGap(limits.absolute_gap * scale);
  model.setAllowableFractionGap(0);
  model.setCutoffIncrement(kIncrement);
  model.setNumberStrong(8);
  model.setNumberBeforeTrust(8);
  model.setMaximumCutPassesAtRoot(50);
  model.setMaximumCutPasses(4);
  if (limits.max_nodes > 0) {
    model.setMaximumNodes(static_cast<int>(
        std::min<std::int64_t>(limits.max_nodes, std::numeric_limits<int>::max() - 1)));
  }
  if (limits.max_seconds > 0) {
    model.setUseElapsedTime(true);
    model.setMaximumSeconds(limits.max_seconds);
  }
}

}  // namespace

BinaryAnswer solve_binary_program(const BinaryProgram& program, const ExactLimits& limits,
                                  const std::vector<double>& start) {
  const double scale = scale_of(program);
  const int columns = static_cast<int>(program.objective.size());
  BinaryAnswer answer;
  try {
    OsiClpSolverInterface solver;
    solver.messageHandler()->setLogLevel(0);
    solver.getModelPtr()->setLogLevel(0);
    solver.getModelPtr()->setRandomSeed(kSeed);
    load(program, scale, solver);
    solver.setDblParam(OsiDualTolerance, kDualTolerance);
    CbcModel model(solver);
    configure(limits, scale, model);
    add_cuts(model);
    add_heuristics(model);
    double value = 0;
    if (!start.empty()) {
      for (int j = 0; j < columns; ++j) value += start[j] * program.objective[j] * scale;
      model.setBestSolution(start.data(), columns, value);
    }
    model.initialSolve();
    model.branchAndBound();
    answer.finished = model.status() == 0;
    double bound = model.getBestPossibleObjValue();
    if (const double* x = model.bestSolution(); x != nullptr) {
      answer.x.assign(x, x + columns);
      // A search cut off by a known solution may end with the bound of its root.
      if (answer.finished) {
        bound = std::max(bound, model.getObjValue() - limits.absolute_gap * scale);
      }
      bound = std::min(bound, model.getObjValue());
    }
    const double margin = 2 * kIncrement + kDualTolerance * (columns + 1) + 1e-9 * std::abs(bound);
    if (std::abs(bound) < 1e30) {
      answer.bound = (bound - margin) / scale;
      answer.tolerance = 2 * margin / scale;
    }
  } catch (const CoinError&) {
    // A search that gives up has found nothing; the caller's start stands.
    return {};
  }
  return answer;
}

}  // namespace tonnage
