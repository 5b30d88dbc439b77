// Exact selection in a build without the branch-and-cut solver. Owns: the refusal.
#include "exact_choice.hpp"
#include "integer_program.hpp"
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

}  // namespace tonnage
