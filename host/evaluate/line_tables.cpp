// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Fills the tables over batch sizes that the candidates of one line share.
#include "host/evaluate/line_tables.hpp"

namespace tonnage {

const TabledLine& LineTables::prepare(const ServerRow& server, const PerfRow& perf,
                                      const std::vector<double>& reciprocals,
                                      std::int64_t max_batch) {
  const std::int64_t top = max_batch > 0 ? max_batch : batch_ceiling(server, perf);
  const QueueShape shape = queue_shape(server, perf, top);
  const auto size = static_cast<std::size_t>(top) + 1;
  for (auto* table : {&inv_mu_, &chunks_, &delta_ms_, &work_ms_}) table->resize(size);
  SegmentWalk walk{shape.service};
  for (std::int64_t n = 1; n <= top; ++n) {
    const ServiceSegment& segment = walk.at(static_cast<double>(n));
    inv_mu_[n] = inverse_mu(segment, reciprocals[n]);
    chunks_[n] = segment.chunks;
    delta_ms_[n] = segment.delta_ms;
    work_ms_[n] = segment.prefill_work_ms;
  }
  line_.sweep = sweep_line(shape, server.targets, server.has_tps_target, server.total_rate_per_ms,
                           chunks_[1], chunks_[top]);
  line_.inv_target = inverse_targets(server.targets);
  line_.out_tokens = server.out_tokens;
  line_.alpha_ms = perf.alpha_ms;
  line_.rate_share = rate_share(server);
  line_.stepped = chunks_[1] != chunks_[top];
  line_.reciprocal = reciprocals.data();
  line_.inv_mu = inv_mu_.data();
  line_.chunks = chunks_.data();
  line_.delta_ms = delta_ms_.data();
  line_.work_ms = work_ms_.data();
  return line_;
}

}  // namespace tonnage
