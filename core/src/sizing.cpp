#include "tonnage/core/percentile_sizing.hpp"

namespace tonnage {
namespace {

// Out of line: the search asks at twenty places.
struct CalledPercentile : PercentileEvaluator {
  [[gnu::noinline]] TargetPoint<double> operator()(double rate) const {
    return PercentileEvaluator::operator()(rate);
  }
};

}  // namespace

RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                             bool has_tps_target) {
  return targets.binds_percentile()
             ? size_percentile<CalledPercentile>(shape, targets, has_tps_target)
             : size_rate(shape, targets, has_tps_target);
}

}  // namespace tonnage
