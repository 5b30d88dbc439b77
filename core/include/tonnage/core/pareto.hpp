// The frontier of a server: candidates that no other beats in cost, TTFT and ITL.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tonnage/core/grid.hpp"
#include "tonnage/core/lanes.hpp"

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

// What may be on a frontier: the candidates that qualify, of each line and replica count those that
// their neighbours among them do not beat.
struct PointOptions {
  GridColumn ttft = GridColumn::kTtft;  // or one of its percentiles
  bool ignore_targets = false;          // also candidates that miss targets of their class
};

TONNAGE_HD bool qualifies(Verdict verdict, bool ignore_targets) {
  if (verdict == Verdict::kMinReplicas || verdict == Verdict::kTooManyReplicas) return false;
  return verdict == Verdict::kFeasible || ignore_targets;
}

// Takes the points of a line, by ordinal in the grid: once for each line, from several threads.
using PointConsumer =
    std::function<void(std::int64_t ordinal, std::span<const ParetoPoint> points)>;

// Thins out the candidates of one line and replica count, which cost the same, in the order of
// batch sizes. Each is held against the one that waits; of equal ones the first stays. Host and
// device code, so that every backend keeps the same points.
class ColumnThinner {
 public:
  // Calls emit(point) for what nothing can displace any more.
  template <class Emit>
  TONNAGE_HD void offer(const ParetoPoint& point, const Emit& emit) {
    if (waits_) {
      if (covers(waiting_, point)) return;
      if (!covers(point, waiting_)) emit(waiting_);
    }
    waiting_ = point;
    waits_ = true;
  }
  template <class Emit>
  TONNAGE_HD void finish(const Emit& emit) {
    if (waits_) emit(waiting_);
    waits_ = false;
  }

 private:
  TONNAGE_HD static bool covers(const ParetoPoint& a, const ParetoPoint& b) {
    return a.ttft_ms <= b.ttft_ms && a.itl_ms <= b.itl_ms;
  }

  ParetoPoint waiting_;
  bool waits_ = false;
};

struct ParetoFrontier {
  std::int64_t server = 0;          // index into Problem::servers
  std::vector<ParetoPoint> points;  // by cost, then TTFT, then ITL
};

}  // namespace tonnage
