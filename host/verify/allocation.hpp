// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// One claimed allocation. Owns: everything that must hold for the allocation of a server by itself,
// and what the model says it costs, is worth and draws.
#pragma once

#include <vector>

#include "host/verify/mix.hpp"
#include "host/verify/rules.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::verify {

struct AllocationTruth {
  bool partial = false;
  bool cost_known = false;
  double cost = 0;
  bool value_known = false;
  double value = 0;       // of the replicas granted, where the allocation is partial
  Transition transition;  // of the whole allocation; its value is known where the other one is
  bool power_known = false;
  double power_w = 0;  // of the accelerators
  std::vector<MixTruth::Cards> cards;
};

// Checks the claim against the server and its load and reports what is wrong.
[[nodiscard]] AllocationTruth check_allocation(const System& system, const OptimizerSpec& optimizer,
                                               const Demand& demand, const AllocationClaims& claim,
                                               const ReportViolation& report);

}  // namespace tonnage::verify
