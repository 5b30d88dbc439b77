// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The totals of a plan: what ran, what each card type, limit and priority class sees of it.
#pragma once

#include <cstdint>
#include <vector>

#include "host/plan/planning.hpp"
#include "tonnage/core/plan.hpp"

namespace tonnage {

// What ran, how long, and how far the selection is from the best.
void summarize_run(const Planning& planning, PlanSummary& summary);

// Cards used of each type, their cost and price.
void summarize_types(const Planning& planning, PlanSummary& summary);

// Servers by class, with the price of a class where its stage left some unserved. `outcomes` by
// priority, ascending.
void summarize_priorities(const Planning& planning, std::vector<PriorityOutcome> outcomes,
                          PlanSummary& summary);

// Cost, value and what the plan takes of each limit; needs the allocations of the plan.
// `allocated`: the servers they are of.
void summarize_totals(const Planning& planning, const OptimizerSpec& optimizer,
                      const std::vector<std::int64_t>& allocated, Plan& plan);

}  // namespace tonnage
