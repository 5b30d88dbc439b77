// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact solution of small and medium selections: each item takes one of its options or none, under
// capacities. Owns: the flat model of one stage and the contract of its solver.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace tonnage {

// One stage of a selection. Items are servers (or some of them), classes are priorities.
struct ChoiceModel {
  // Further uses of an option beside `cards` of its type.
  struct Use {
    std::int64_t option;
    std::int32_t resource;  // index into capacity, another than the option's type
    std::int64_t amount;    // > 0
  };

  std::vector<std::int64_t> first;         // [items + 1] options of an item
  std::vector<double> objective;           // [options] what taking the option adds
  std::vector<std::int64_t> cards;         // [options]
  std::vector<std::int32_t> type;          // [options] index into capacity; -1: nothing
  std::vector<Use> uses;                   // ascending in option
  std::vector<double> skip_objective;      // [items] what taking none adds
  std::vector<std::int32_t> item_class;    // [items]
  std::vector<std::int64_t> capacity;      // [resources]
  std::vector<std::int64_t> least_served;  // [classes] least number of items with an option

  [[nodiscard]] std::int64_t num_items() const noexcept {
    return static_cast<std::int64_t>(skip_objective.size());
  }
};

struct ExactLimits {
  // Work limit in steps of about 20 ns, counted and not timed, so that equal inputs give equal
  // answers without a time limit. 0: no limit.
  std::int64_t max_work = 0;
  double max_seconds = 0;   // 0: no limit
  double absolute_gap = 0;  // stop when objective - bound is at most this
  // Best-first search: the bound rises steadily, solutions come late.
  bool bound_first = false;
  std::function<void()> on_progress = {};  // called now and then while a search runs
};

struct ChoiceAnswer {
  bool feasible = false;             // `chosen` holds a solution
  bool finished = false;             // the search ended by itself, not on a limit
  bool proven = false;               // no solution is better than `objective` by more than the gap
  double objective = 0;              // recomputed from `chosen`
  double bound = 0;                  // no solution is below this
  std::vector<std::int64_t> chosen;  // [items] option index or -1
};

// Whether this build has an exact solver.
[[nodiscard]] bool has_exact_solver() noexcept;

// Minimises the total objective. `start` (chosen options, or empty) is a known solution, and the
// answer is never worse. Throws Error (kUnavailable) without an exact solver.
[[nodiscard]] ChoiceAnswer solve_exactly(const ChoiceModel& model, const ExactLimits& limits,
                                         const std::vector<std::int64_t>& start);

// A vertex of the linear relaxation as the share of every option; empty if there is none. Throws
// Error (kUnavailable) without an exact solver.
[[nodiscard]] std::vector<double> relax_choice(const ChoiceModel& model);

}  // namespace tonnage
