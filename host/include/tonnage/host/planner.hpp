// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// From a System to a plan: evaluates every pair, selects, describes. Owns: the facade that the
// command line, the C API and library users share.
//
// Example:
//   #include "tonnage/io/spec_reader.hpp"
//   const tonnage::SpecReadResult read = tonnage::read_system("fleet.json");
//   const tonnage::System system(read.spec);
//   tonnage::PlannerOptions options;
//   options.solver = tonnage::Solver::kPrice;
//   const tonnage::Plan plan = tonnage::make_plan(system, read.spec.optimizer, options);
//   std::printf("%zu servers\n", plan.allocations.size());
//   std::printf("%.2f cents/hour\n", plan.summary.total_cost);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/plan.hpp"
#include "tonnage/core/progress.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

// Version of the library, e.g. "0.1.0".
[[nodiscard]] std::string_view version();

enum class Solver { kAuto, kUnlimited, kGreedy, kPrice, kMilp };

// "auto", "unlimited", "greedy", "price", "milp".
[[nodiscard]] std::string_view to_string(Solver solver);
// Solver of that exact name; false (and `solver` untouched) if there is none.
[[nodiscard]] bool parse_solver(std::string_view name, Solver& solver);

struct PlannerOptions {
  // kAuto: unlimited or milp if the optimizer spec asks for it, else price. kMilp throws Error
  // (kUnavailable) in a build without an exact solver.
  Solver solver = Solver::kAuto;
  double time_limit_s = 60;  // of the milp solver; 0: none
  BatchMode batch = BatchMode::kMax;
  std::string backend = "auto";  // see backends.hpp; a named one that is not usable is an error
  int num_threads = 0;           // 0: one per processor
  ProgressCallback progress;
};

// Plans the whole system. Servers without an allocation are listed with reasons; they are no error.
// The plan does not depend on the number of threads. Throws Error: kInvalidInput for options out of
// range, kUnavailable for a backend or solver that is not usable here.
[[nodiscard]] Plan make_plan(const System& system, const OptimizerSpec& optimizer,
                             const PlannerOptions& options = {});

struct CandidateQuery {
  std::string server;       // empty: all
  std::string accelerator;  // empty: all
  bool infeasible = false;  // also pairs that are no candidates, with the reason
  // Of the feasible pairs only those that no other pair of the server beats in value and in cards
  // of its type.
  bool undominated = false;
};

// The allocation of every feasible (server, accelerator) pair, by server then accelerator name.
// Throws Error (kNotFound) for a server or accelerator the system does not know.
[[nodiscard]] std::vector<Candidate> list_candidates(const System& system,
                                                     const CandidateQuery& query,
                                                     const PlannerOptions& options = {});

// Holds a System and an optimizer spec; plans and applies the plan to the system's servers.
class Manager {
 public:
  Manager(System& system, OptimizerSpec optimizer) : system_(&system), optimizer_(optimizer) {}

  // Plans, and sets or removes the allocation of every server accordingly. Throws as make_plan.
  const Plan& optimize(const PlannerOptions& options = {});
  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  // Wall-clock seconds of the last optimize().
  [[nodiscard]] double solution_time_s() const noexcept { return solution_time_s_; }
  // Differences between the current and the planned allocation, by server name.
  [[nodiscard]] std::map<std::string, AllocationDiff> diffs() const;
  // Names of the servers that the last plan leaves without an allocation.
  [[nodiscard]] std::vector<std::string> unallocated() const;

 private:
  System* system_;
  OptimizerSpec optimizer_;
  Plan plan_;
  double solution_time_s_ = 0;
};

}  // namespace tonnage
