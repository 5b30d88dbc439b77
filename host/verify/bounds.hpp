// The bounds that a plan states, recomputed from the candidates and the prices it gives. Owns: the
// formula of certificates (docs/selection.md), apart from the solver that finds the prices.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/plan_claims.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

// What the plan does with the servers that have candidates.
struct StageTruth {
  std::map<int, std::int64_t> served;    // whole, by priority
  std::map<int, std::int64_t> unserved;  // left out or partial, by priority
  double objective = 0;                  // of the whole allocations, cents/hour
};

// Names of the servers that have a candidate, and what the bounds are computed from.
class BoundCheck {
 public:
  BoundCheck(const System& system, const OptimizerSpec& optimizer, BatchMode batch);
  ~BoundCheck();
  BoundCheck(const BoundCheck&) = delete;
  BoundCheck& operator=(const BoundCheck&) = delete;

  [[nodiscard]] bool has_candidates(const std::string& server) const;
  // What no plan with that service of the classes is below, by the prices of the stage.
  [[nodiscard]] double bound(const StageClaims& stage, const StageTruth& truth) const;

 private:
  struct Candidates;
  std::unique_ptr<Candidates> candidates_;
};

}  // namespace tonnage
