// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The names of verdicts.
#include "tonnage/core/grid.hpp"

namespace tonnage {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFeasible:
      return "feasible";
    case Verdict::kItlTarget:
      return "itl";
    case Verdict::kTtftTarget:
      return "ttft";
    case Verdict::kE2eTarget:
      return "e2e";
    case Verdict::kDropTarget:
      return "drop";
    case Verdict::kOverload:
      return "overload";
    case Verdict::kGoodput:
      return "goodput";
    case Verdict::kMinReplicas:
      return "minNumReplicas";
    case Verdict::kTooManyReplicas:
      return "maxNumReplicas";
  }
  return "unknown";
}

}  // namespace tonnage
