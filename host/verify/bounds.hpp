// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The bounds that a plan states, recomputed from the allocations that servers may get and the
// prices it gives. Owns: the formula of certificates (docs/selection.md), apart from the solver
// that finds the prices.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/verify/limits.hpp"
#include "host/verify/offers.hpp"
#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::verify {

// What the plan does with the servers that have candidates.
struct StageTruth {
  std::map<int, std::int64_t> served;    // whole, by priority
  std::map<int, std::int64_t> unserved;  // left out or partial, by priority
  double objective = 0;                  // of the whole allocations, cents/hour
};

// Looks at every server once for all stages: the allocations of a large fleet together take more
// memory than there may be.
class BoundCheck {
 public:
  BoundCheck(const System& system, const OptimizerSpec& optimizer, BatchMode batch,
             std::span<const StageClaims> stages);

  [[nodiscard]] bool has_candidates(const std::string& server) const;
  // What no plan with that service of the classes is below, by the prices of the stage.
  [[nodiscard]] double bound(std::size_t stage, const StageTruth& truth) const;

 private:
  // A server at the prices of the stages.
  struct Row {
    bool has_candidates = false;
    int priority = kLowestPriority;
    std::vector<double> least;  // [stages] that the server adds to the bound
  };
  // What an allocation takes of all that is shared out: cards by type, then units of the limits.
  struct Taken {
    double objective = 0;
    std::vector<std::pair<std::size_t, std::int64_t>> amounts;  // resource, how much of it
  };
  [[nodiscard]] Row look_at(const Server& server) const;
  [[nodiscard]] Taken taken_by(const Offer& offer) const;
  [[nodiscard]] double least(std::size_t stage, int priority,
                             const std::vector<Taken>& choices) const;

  const System& system_;
  OptimizerSpec optimizer_;
  std::span<const StageClaims> stages_;
  std::map<std::string, std::size_t> types_;  // resource of each type of cards
  std::vector<LimitUnits> limits_;
  std::vector<std::int64_t> available_;      // [resources] that plans may use
  std::vector<std::vector<double>> prices_;  // [stages][resources] of a card or unit
  Offers offers_;
  std::map<std::string, Row> rows_;  // by server
};

}  // namespace tonnage::verify
