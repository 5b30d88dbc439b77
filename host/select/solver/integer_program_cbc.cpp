// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Branch and cut through CBC's classes. The front end that CBC's own command and C interface share
// is left aside: it takes over signals and keeps global state.
// clang-format off
#include <CbcModel.hpp>  // before the others, which need it
// clang-format on
#include <CbcCompareObjective.hpp>
#include <CbcCutGenerator.hpp>
#include <CbcEventHandler.hpp>
#include <CbcHeuristic.hpp>
#include <CbcHeuristicDiveCoefficient.hpp>
#include <CbcHeuristicDiveGuided.hpp>
#include <CbcHeuristicFPump.hpp>
#include <CbcHeuristicRINS.hpp>
#include <CglClique.hpp>
#include <CglGomory.hpp>
#include <CglKnapsackCover.hpp>
#include <CglMixedIntegerRounding2.hpp>
#include <CglPreProcess.hpp>
#include <CglProbing.hpp>
#include <CglZeroHalf.hpp>
#include <CoinError.hpp>
#include <CoinPackedMatrix.hpp>
#include <OsiClpSolverInterface.hpp>
#include <algorithm>
#include <cmath>

#include "host/select/solver/integer_program.hpp"

namespace tonnage {
namespace {

constexpr int kReductions = 5;  // passes of preprocessing
constexpr int kCbcSeed = 20240229;
// Objectives are scaled to about this size, because the tolerances of the search are absolute. The
// scale is a power of two, so nothing is rounded.
constexpr double kLargestCoefficient = 1024;
// Least improvement that the search looks for.
constexpr double kIncrement = 1e-6;
// Dual infeasibility that the linear programs may leave on each variable.
constexpr double kDualTolerance = 1e-7;
// Simplex iterations per strong-branching trial. Without this limit they dominate where linear
// programs are degenerate.
constexpr int kTrialIterations = 30;
// Work beyond simplex iterations, in iterations: of a node, and of the root beyond a node. An
// iteration also costs in proportion to columns over kIterationColumns.
constexpr std::int64_t kNodeIterations = 40, kRootIterations = 2500, kIterationColumns = 1000;

double scale_of(const IntegerProgram& program) {
  double largest = 0;
  for (const double c : program.objective) largest = std::max(largest, std::abs(c));
  return largest > 0 ? std::exp2(std::floor(std::log2(kLargestCoefficient / largest))) : 1;
}

void load(const IntegerProgram& program, double scale, OsiClpSolverInterface& solver) {
  const int columns = static_cast<int>(program.objective.size());
  std::vector<double> row_lower, row_upper, elements;
  std::vector<int> indices, lengths;
  std::vector<CoinBigIndex> starts;
  for (const IntegerProgram::Row& row : program.rows) {
    starts.push_back(static_cast<CoinBigIndex>(indices.size()));
    lengths.push_back(static_cast<int>(row.entries.size()));
    for (const auto& [column, coefficient] : row.entries) {
      indices.push_back(column);
      elements.push_back(coefficient);
    }
    row_lower.push_back(std::isinf(row.lower) ? -solver.getInfinity() : row.lower);
    row_upper.push_back(std::isinf(row.upper) ? solver.getInfinity() : row.upper);
  }
  const CoinPackedMatrix matrix(/*colordered=*/false, columns, static_cast<int>(lengths.size()),
                                static_cast<CoinBigIndex>(indices.size()), elements.data(),
                                indices.data(), starts.data(), lengths.data());
  const std::vector<double> zeros(program.objective.size(), 0.0);
  std::vector<double> most = program.most;
  most.resize(program.objective.size(), 1.0);
  std::vector<double> objective(program.objective);
  for (double& c : objective) c *= scale;
  solver.loadProblem(matrix, zeros.data(), most.data(), objective.data(), row_lower.data(),
                     row_upper.data());
  for (int j = 0; j < columns; ++j) solver.setInteger(j);
}

void prepare(const IntegerProgram& program, double scale, OsiClpSolverInterface& solver) {
  solver.messageHandler()->setLogLevel(0);
  solver.getModelPtr()->setLogLevel(0);
  solver.getModelPtr()->setRandomSeed(kCbcSeed);
  load(program, scale, solver);
  solver.setDblParam(OsiDualTolerance, kDualTolerance);
}

CglProbing gentle_probing() {
  CglProbing probing;
  probing.setUsingObjective(1);
  probing.setMaxPass(1);
  probing.setMaxPassRoot(1);
  probing.setMaxProbe(10);
  probing.setMaxLook(10);
  probing.setMaxLookRoot(50);
  probing.setRowCuts(3);
  return probing;
}

void add_cuts(CbcModel& model) {
  constexpr int kWhereUseful = -1;  // at the root; below it where they paid there
  constexpr int kRootOnly = -99;
  CglProbing probing = gentle_probing();
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
  CbcHeuristicFPump pump(model);
  pump.setMaximumPasses(20);
  pump.setWhen(13);
  model.addHeuristic(&pump);
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

// Reports progress, and ends a search at a work limit. Copies in the small searches of heuristics
// do not count, because one that ended would end the whole search; they have node limits.
class SearchWatch : public CbcEventHandler {
 public:
  explicit SearchWatch(const ExactLimits& limits)
      : most_(limits.max_work), on_progress_(limits.on_progress) {}
  [[nodiscard]] CbcEventHandler* clone() const override { return new SearchWatch(*this); }

  CbcAction event(CbcEvent which) override {
    if (on_progress_) on_progress_();
    if (which != node || most_ == 0 || model_->parentModel() != nullptr) return noAction;
    return work_of(*model_) >= most_ ? stop : noAction;
  }
  CbcAction event(CbcEvent which, void* /*data*/) override { return event(which); }

  static std::int64_t work_of(const CbcModel& model) {
    const std::int64_t iterations =
        model.getIterationCount() + model.numberStrongIterations() + kRootIterations;
    return (iterations + kNodeIterations * model.getNodeCount()) *
           (model.getNumCols() + kIterationColumns);
  }

 private:
  std::int64_t most_;
  std::function<void()> on_progress_;
};

void configure(const ExactLimits& limits, double scale, CbcModel& model) {
  model.setLogLevel(0);
  model.solver()->messageHandler()->setLogLevel(0);
  model.setRandomSeed(kCbcSeed);
  model.setIntegerTolerance(1e-7);
  model.setAllowableGap(limits.absolute_gap * scale);
  model.setAllowableFractionGap(0);
  model.setCutoffIncrement(kIncrement);
  model.setNumberStrong(8);
  model.setNumberBeforeTrust(8);
  model.setMaximumCutPassesAtRoot(50);
  model.setMaximumCutPasses(4);
  model.solver()->setIntParam(OsiMaxNumIterationHotStart, kTrialIterations);
  SearchWatch watch(limits);
  model.passInEventHandler(&watch);
  CbcCompareObjective bound_first;
  if (limits.bound_first) model.setNodeComparison(bound_first);
  if (limits.max_seconds > 0) {
    model.setUseElapsedTime(true);
    model.setMaximumSeconds(limits.max_seconds);
  }
}

}  // namespace

std::vector<double> relax_integer_program(const IntegerProgram& program) {
  try {
    OsiClpSolverInterface solver;
    prepare(program, scale_of(program), solver);
    solver.initialSolve();
    if (!solver.isProvenOptimal()) return {};
    const double* x = solver.getColSolution();
    return {x, x + solver.getNumCols()};
  } catch (const CoinError&) {
    return {};
  }
}

IntegerAnswer solve_integer_program(const IntegerProgram& program, const ExactLimits& limits,
                                    const std::vector<double>& start) {
  const double scale = scale_of(program);
  const int columns = static_cast<int>(program.objective.size());
  IntegerAnswer answer;
  if (columns == 0) {  // which preprocessing cannot bear; the rows hold or nothing does
    answer.finished = true;
    answer.bound = 0;
    return answer;
  }
  try {
    OsiClpSolverInterface solver;
    prepare(program, scale, solver);
    double cutoff = std::numeric_limits<double>::infinity();
    if (!start.empty()) {
      cutoff = 0;
      for (int j = 0; j < columns; ++j) cutoff += start[j] * program.objective[j] * scale;
    }
    CglPreProcess preprocess;
    preprocess.messageHandler()->setLogLevel(0);
    CglProbing probing = gentle_probing();
    preprocess.addCutGenerator(&probing);
    OsiSolverInterface* reduced =
        preprocess.preProcess(solver, /*makeEquality=*/false, kReductions);
    if (reduced == nullptr) {
      answer.finished = true;  // nothing holds
      return answer;
    }
    CbcModel model(*reduced);
    configure(limits, scale, model);
    add_cuts(model);
    add_heuristics(model);
    if (std::isfinite(cutoff)) model.setCutoff(cutoff - kIncrement);
    model.initialSolve();
    model.branchAndBound();
    answer.finished = model.status() == 0;
    answer.work = SearchWatch::work_of(model);
    double bound = model.getBestPossibleObjValue();
    if (model.bestSolution() != nullptr) {
      // A search cut off by a known solution may end with the bound of its root.
      if (answer.finished) {
        bound = std::max(bound, model.getObjValue() - limits.absolute_gap * scale);
      }
      bound = std::min(bound, model.getObjValue());
      preprocess.postProcess(*model.solver());
      const double* x = solver.getColSolution();
      answer.x.assign(x, x + columns);
    } else if (std::isfinite(cutoff)) {
      // Nothing better than the start.
      bound = answer.finished ? cutoff - limits.absolute_gap * scale : std::min(bound, cutoff);
    }
    const double margin = 2 * kIncrement + kDualTolerance * (columns + 1) + 1e-9 * std::abs(bound);
    if (std::abs(bound) < 1e30) {
      answer.bound = (bound - margin) / scale;
      answer.tolerance = 2 * margin / scale;
    }
  } catch (const CoinError&) {
    // The search found nothing; the start of the caller stands.
    return {};
  }
  return answer;
}

}  // namespace tonnage
