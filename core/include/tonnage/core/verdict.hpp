// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The verdict on one candidate of the grid. Owns: which of several missed targets is reported, and
// the verdict where no target is missed at the candidate's own load. Host and device code.
#pragma once

#include <cstdint>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/line.hpp"

namespace tonnage {

// Metrics of a candidate that targets bound, except TTFT.
struct CandidateFigures {
  double itl_ms;
  double response_ms;
  double drop;
  double load;  // rate/mu(M)
};

// Verdict on a batch size that is feasible at no rate. `reason`: the target missed at the low end
// of the range.
TONNAGE_HD Verdict verdict_at_low_end(Reason reason) {
  switch (reason) {
    case Reason::kItlTarget:
      return Verdict::kItlTarget;
    case Reason::kTtftTarget:
      return Verdict::kTtftTarget;
    case Reason::kE2eTarget:
      return Verdict::kE2eTarget;
    case Reason::kDropTarget:
      return Verdict::kDropTarget;
    default:
      return Verdict::kOverload;
  }
}

// Verdict on `replicas` of a batch size that needs `need` of them (<= 0: no number is enough).
// ttft() gives the TTFT figure that the target bounds, low_end() the reason why the batch size is
// feasible at no rate; each is called only if needed.
template <class Ttft, class LowEnd>
TONNAGE_HD Verdict judge_candidate(const ServerRow& server, std::int64_t replicas,
                                   std::int64_t need, const CandidateFigures& figures,
                                   const Ttft& ttft, const LowEnd& low_end) {
  if (replicas < server.min_replicas) return Verdict::kMinReplicas;
  if (server.max_replicas > 0 && replicas > server.max_replicas) return Verdict::kTooManyReplicas;
  if (need > 0 && replicas >= need) return Verdict::kFeasible;
  const LatencyTargets& t = server.targets;
  double worst = 1 + kTargetTolerance;
  Verdict verdict = Verdict::kFeasible;
  const auto compare = [&](Verdict v, double figure, double target) {
    if (!(target > 0) || !(figure / target > worst)) return;
    worst = figure / target;
    verdict = v;
  };
  compare(Verdict::kItlTarget, figures.itl_ms, t.itl_ms);
  if (t.ttft_ms > 0) compare(Verdict::kTtftTarget, ttft(), t.ttft_ms);
  compare(Verdict::kE2eTarget, figures.response_ms, t.e2e_ms);
  compare(Verdict::kDropTarget, figures.drop, t.drop);
  if (verdict != Verdict::kFeasible) return verdict;
  if (figures.load > rate_share(server)) return Verdict::kOverload;
  if (need > 0) return Verdict::kGoodput;
  return verdict_at_low_end(low_end());
}

}  // namespace tonnage
