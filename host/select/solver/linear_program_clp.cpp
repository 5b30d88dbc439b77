// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Linear programs through Clp's interface for basis information.
#include <CoinError.hpp>
#include <CoinPackedVector.hpp>
#include <OsiClpSolverInterface.hpp>
#include <algorithm>
#include <cstddef>

#include "host/select/solver/linear_program.hpp"

namespace tonnage {
namespace {

constexpr int kClpSeed = 20240229;
// Work of a solution beyond its iterations, per row and column.
constexpr std::int64_t kSolveWork = 60;

CoinPackedVector packed(const LinearProgram::Entries& entries) {
  std::vector<int> indices;
  std::vector<double> values;
  for (const auto& [index, value] : entries) {
    indices.push_back(index);
    values.push_back(value);
  }
  return {static_cast<int>(indices.size()), indices.data(), values.data(),
          /*testForDuplicateIndex=*/false};
}

}  // namespace

struct LinearProgram::Solver {
  // Clp gives access to a basis only between two paired calls.
  mutable OsiClpSolverInterface osi;
  mutable bool factorised = false;
  bool started = false;
  std::int64_t work = 0;

  void release() const {
    if (factorised) osi.disableFactorization();
    factorised = false;
  }
  void factorise() const {
    if (!factorised) osi.enableFactorization();
    factorised = true;
  }
};

LinearProgram::LinearProgram() : solver_(std::make_unique<Solver>()) {
  solver_->osi.messageHandler()->setLogLevel(0);
  solver_->osi.getModelPtr()->setLogLevel(0);
  solver_->osi.getModelPtr()->setRandomSeed(kClpSeed);
  // Scaling takes longer than the few iterations of a solution.
  solver_->osi.setHintParam(OsiDoScale, false, OsiHintDo);
  solver_->osi.getModelPtr()->scaling(0);
}
LinearProgram::~LinearProgram() { solver_->release(); }

void LinearProgram::add_rows(const std::vector<Row>& rows) {
  solver_->release();
  std::vector<CoinPackedVector> vectors;
  std::vector<double> lower, upper;
  for (const Row& row : rows) {
    vectors.push_back(packed(row.entries));
    lower.push_back(-solver_->osi.getInfinity());
    upper.push_back(row.upper);
  }
  std::vector<const CoinPackedVectorBase*> pointers;
  for (const CoinPackedVector& v : vectors) pointers.push_back(&v);
  solver_->osi.addRows(static_cast<int>(rows.size()), pointers.data(), lower.data(), upper.data());
}

void LinearProgram::add_columns(const std::vector<Column>& columns) {
  solver_->release();
  std::vector<CoinPackedVector> vectors;
  std::vector<double> lower(columns.size(), 0.0), upper, objective;
  for (const Column& column : columns) {
    vectors.push_back(packed(column.entries));
    upper.push_back(column.most);
    objective.push_back(column.objective);
  }
  std::vector<const CoinPackedVectorBase*> pointers;
  for (const CoinPackedVector& v : vectors) pointers.push_back(&v);
  solver_->osi.addCols(static_cast<int>(columns.size()), pointers.data(), lower.data(),
                       upper.data(), objective.data());
}

void LinearProgram::remove_rows(const std::vector<std::int32_t>& rows) {
  solver_->release();
  const std::vector<int> indices(rows.begin(), rows.end());
  solver_->osi.deleteRows(static_cast<int>(indices.size()), indices.data());
}

void LinearProgram::set_most(std::int32_t column, double most) {
  solver_->release();
  solver_->osi.setColUpper(column, most);
}

void LinearProgram::set_lower(std::int32_t row, double lower) {
  solver_->release();
  solver_->osi.setRowLower(row, lower);
}

bool LinearProgram::solve() {
  solver_->release();
  try {
    if (solver_->started) solver_->osi.resolve();
    // From a bad basis the method sometimes gives up, so retry without it.
    if (!solver_->started || !solver_->osi.isProvenOptimal()) {
      solver_->osi.getModelPtr()->allSlackBasis();
      solver_->osi.initialSolve();
    }
    solver_->started = true;
    const std::int64_t rows = solver_->osi.getNumRows(), columns = solver_->osi.getNumCols();
    solver_->work += solver_->osi.getIterationCount() * rows + kSolveWork * (rows + columns);
    return solver_->osi.isProvenOptimal();
  } catch (const CoinError&) {
    return false;
  }
}

std::int64_t LinearProgram::work() const { return solver_->work; }

bool LinearProgram::is_impossible() const { return solver_->osi.isProvenPrimalInfeasible(); }

std::vector<double> LinearProgram::x() const {
  const double* x = solver_->osi.getColSolution();
  return {x, x + solver_->osi.getNumCols()};
}

std::vector<double> LinearProgram::prices() const {
  const double* duals = solver_->osi.getRowPrice();
  std::vector<double> prices(duals, duals + solver_->osi.getNumRows());
  for (double& p : prices) p = -p;
  return prices;
}

std::vector<std::int32_t> LinearProgram::basis() const {
  solver_->factorise();
  std::vector<int> basics(static_cast<std::size_t>(solver_->osi.getNumRows()));
  solver_->osi.getBasics(basics.data());
  return {basics.begin(), basics.end()};
}

std::vector<double> LinearProgram::inverse_row(std::int32_t place) const {
  solver_->factorise();
  std::vector<double> row(static_cast<std::size_t>(solver_->osi.getNumRows()));
  solver_->osi.getBInvRow(place, row.data());
  return row;
}

}  // namespace tonnage
