// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exact search of a stage restricted to the options that reduced costs leave open. Owns: the rule
// by which the gap between plan and bound excludes options, and the model of the rest.
#pragma once

#include <cstdint>

#include "host/select/price/model/assignment.hpp"
#include "host/select/price/proof/lp_relaxation.hpp"
#include "host/select/solver/choice_model.hpp"

namespace tonnage::price {

// How far a stage is proven. Both in units of the stage: unserved servers or value.
struct Proof {
  double objective = 0;
  double bound = 0;
  double of_prices = 0;  // what prices alone prove
};

// What a stage minimises, in its own unit.
[[nodiscard]] double objective_of(const Table& table, const Stage& stage,
                                  const Assignment& assignment);

// Adds what an option takes beyond its first resource as uses of the model's last option.
void add_uses(const Table& table, const FlatOption& option, ChoiceModel& model);

struct RestLimits {
  std::size_t max_whole = 0;    // options that servers choose among in an exact search
  std::size_t max_options = 0;  // and in another; 0: no other
  // Work limits as ExactLimits counts: of the search around the relaxation, of the exact search,
  // and of a search for a better bound of value where the exact one is too large. (A bound of
  // counts needs the whole search.)
  std::int64_t other_work = 0, exact_work = 0, bound_work = 0;
};

enum class Progress {
  kSettled,  // the search was exact, as far as its limits allowed: no use in another
  kBetter,   // a better plan was found
  kStuck,    // none
};

// Searches for a better plan among the options that the relaxation leaves open. If these are at
// most `max_whole`, the search is exact and raises the bound of `proof` as far as it gets.
// Otherwise the linear relaxation decides for most servers, and the search for those near a tie.
// Keeps the better plan in `assignment`. A counting stage has value_weight 0.
Progress solve_rest(const Table& table, const Stage& stage, const Relaxed& relaxed,
                    const RestLimits& limits, Assignment& assignment, Proof& proof);

}  // namespace tonnage::price
