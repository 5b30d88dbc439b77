// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The options that a plan is selected from. Owns: spare replicas, headroom, weights and limits as
// they bear on options.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/progress.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

// A limit of the optimizer section, counted in whole units.
struct Limit {
  enum class Kind { kCost, kPower, kChanges };
  Kind kind;
  double amount;  // cents/hour, watts, servers
  double unit;    // of the counts in OptionTable, in the same measure

  [[nodiscard]] std::string_view name() const;  // as in files
};

// Use of a limit that exceeds every limit: larger uses are cut to this number.
inline constexpr std::int64_t kBeyondLimits = 2'000'000'000'000;

// The options that a plan is selected from.
struct Offers {
  OptionTable table;
  std::vector<Limit> limits;  // one for each of OptionTable::limits
};

// Builds the options of all feasible lines. Adds spare replicas to `outcomes`, takes the headroom
// off capacities (unbounded if the file says so), weighs objectives, and counts uses of limits. A
// partial allocation counts as drawing full power. Adds mixes if `with_mixes`, and reports progress
// on them.
[[nodiscard]] Offers offer_options(const Problem& problem, const OptimizerSpec& optimizer,
                                   std::vector<LineOutcome>& outcomes, bool with_mixes,
                                   int num_threads, const ProgressCallback& progress = {});

// The objective of an allocation whose accelerators draw `power_w`. `moves`: it is on another
// accelerator than the current one.
[[nodiscard]] double weighted_objective(const OptimizerSpec& optimizer, const ServerRow& server,
                                        bool moves, double value, double cost, double power_w);

// Whether an allocation differs from the current one in accelerator or replica count.
[[nodiscard]] bool is_change(const ServerRow& server, std::int32_t accelerator,
                             std::int64_t replicas);

}  // namespace tonnage
