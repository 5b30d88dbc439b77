// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Sizes one (server, accelerator) pair at one batch size on the CPU. The searches themselves are
// templates in tonnage/core/sizing_kernel.hpp and percentile_sizing.hpp.
#include "tonnage/core/sizing.hpp"

#include <vector>

#include "tonnage/core/percentile_sizing.hpp"

namespace tonnage {

RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                             bool has_tps_target) {
  std::vector<double> inv_mu;
  if (targets.binds_percentile() || !is_plain_pair(shape)) {
    inv_mu.resize(static_cast<std::size_t>(shape.max_batch) + 1);
    fill_inverse_mu(shape.service, shape.max_batch, inv_mu.data());
  }
  return size_pair(shape, targets, has_tps_target, inv_mu.data());
}

RateSearch<double> size_pair(const QueueShape& shape, const LatencyTargets& targets,
                             bool has_tps_target, const double* inv_mu) {
  if (targets.binds_percentile()) {
    return size_percentile<CalledPercentile<void>>(shape, targets, has_tps_target,
                                                   {1.0, 0.0, inv_mu});
  }
  return size_rate(shape, targets, has_tps_target, inv_mu);
}

}  // namespace tonnage
