// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The frontier of a server: candidates that no other beats in cost, TTFT and ITL. Owns: points,
// which candidates qualify, and the thinning that all backends share.
//
// Example:
//   tonnage::ColumnThinner thinner;
//   const auto keep = [](const tonnage::ParetoPoint& p) { std::printf("%g ms\n", p.ttft_ms); };
//   for (int batch = 1; batch <= 8; ++batch) {
//     tonnage::ParetoPoint point;
//     point.batch = batch;
//     point.ttft_ms = 100.0 - batch;
//     thinner.offer(point, keep);
//   }
//   thinner.finish(keep);
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
  double ttft_ms = 0;  // average or percentile, as requested
  double itl_ms = 0;
  double rho = 0;
  double drop_probability = 0;
  Verdict verdict = Verdict::kFeasible;
};

// Which points a backend hands over: qualifying candidates that no neighbour of the same line and
// replica count beats.
struct PointOptions {
  GridColumn ttft = GridColumn::kTtft;  // or one of its percentiles
  bool ignore_targets = false;          // also candidates that miss targets of their class
};

TONNAGE_HD bool qualifies(Verdict verdict, bool ignore_targets) {
  if (verdict == Verdict::kMinReplicas || verdict == Verdict::kTooManyReplicas) return false;
  return verdict == Verdict::kFeasible || ignore_targets;
}

// Takes the points of a line, given by its ordinal in the grid. Called once for each line, from
// several threads.
using PointConsumer =
    std::function<void(std::int64_t ordinal, std::span<const ParetoPoint> points)>;

// Thins out the candidates of one line and replica count, offered in the order of batch sizes. All
// of them cost the same. Each is compared with the one kept last; of equal ones the first stays.
// Host and device code, so that every backend keeps the same points.
class ColumnThinner {
 public:
  // Calls emit(point) for a point that no later offer can displace.
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
