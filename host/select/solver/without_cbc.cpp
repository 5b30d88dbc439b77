// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact selection in a build without the branch-and-cut solver. Owns: the refusal.
#include "host/select/solver/choice_model.hpp"
#include "host/select/solver/integer_program.hpp"
#include "host/select/solver/linear_program.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {

bool has_exact_solver() noexcept { return false; }

namespace {

[[noreturn]] void refuse() {
  throw Error(ErrorCode::kUnavailable, "this build has no exact solver (it was built without CBC)");
}

}  // namespace

ChoiceAnswer solve_exactly(const ChoiceModel& /*model*/, const ExactLimits& /*limits*/,
                           const std::vector<std::int64_t>& /*start*/) {
  refuse();
}

std::vector<double> relax_choice(const ChoiceModel& /*model*/) { refuse(); }

IntegerAnswer solve_integer_program(const IntegerProgram& /*program*/,
                                    const ExactLimits& /*limits*/,
                                    const std::vector<double>& /*start*/) {
  refuse();
}

struct LinearProgram::Solver {};

LinearProgram::LinearProgram() { refuse(); }
LinearProgram::~LinearProgram() = default;
void LinearProgram::add_rows(const std::vector<Row>& /*rows*/) { refuse(); }
void LinearProgram::add_columns(const std::vector<Column>& /*columns*/) { refuse(); }
void LinearProgram::remove_rows(const std::vector<std::int32_t>& /*rows*/) { refuse(); }
void LinearProgram::set_most(std::int32_t /*column*/, double /*most*/) { refuse(); }
void LinearProgram::set_lower(std::int32_t /*row*/, double /*lower*/) { refuse(); }
bool LinearProgram::solve() { refuse(); }
std::int64_t LinearProgram::work() const { refuse(); }
bool LinearProgram::is_impossible() const { refuse(); }
std::vector<double> LinearProgram::x() const { refuse(); }
std::vector<double> LinearProgram::prices() const { refuse(); }
std::vector<std::int32_t> LinearProgram::basis() const { refuse(); }
std::vector<double> LinearProgram::inverse_row(std::int32_t /*place*/) const { refuse(); }

}  // namespace tonnage
