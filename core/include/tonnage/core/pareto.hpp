// The frontier of a server: candidates that no other beats in cost, TTFT and ITL.
#pragma once

#include <cstdint>
#include <vector>

#include "tonnage/core/grid.hpp"

namespace tonnage {

struct ParetoPoint {
  std::int64_t line = 0;  // index into Problem::lines
  std::int64_t batch = 0;
  std::int64_t replicas = 0;
  double cost = 0;     // cents/hour
  double ttft_ms = 0;  // average or percentile, as asked for
  double itl_ms = 0;
  double rho = 0;
  double drop_probability = 0;
  Verdict verdict = Verdict::kFeasible;
};

struct ParetoFrontier {
  std::int64_t server = 0;          // index into Problem::servers
  std::vector<ParetoPoint> points;  // by cost, then TTFT, then ITL
};

}  // namespace tonnage
