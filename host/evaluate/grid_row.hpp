// What the metrics of one row of the grid, a batch size at ascending replica counts, tell about the
// replicas that the batch size needs. Owns: when a row decides its verdicts without any sizing.
#pragma once

#include <cstdint>
#include <optional>

#include "host/evaluate/simd/sweep_kernel.hpp"
#include "tonnage/core/line.hpp"

namespace tonnage {

// Arrays over replica counts.
struct GridRow {
  std::int64_t batch;
  std::int64_t count;
  const double* replicas;
  const double* rate;  // of one replica
  const double* itl_ms;
  const double* ttft_ms;
  const double* wait_ms;
  const double* prefill_ms;
  const double* response_ms;
  const double* drop;
  // As in QueueMetrics and rate/mu(M); needed where the server's TTFT target binds a percentile.
  const double* wait_weight;
  const double* load;
};

// The least of the row's replica counts that suffices, -1 where each misses a target or exceeds the
// sustainable rate; none where sizing has to tell: drops or targets too near to a count for the
// metrics to decide. Metrics that miss mean more replicas, those that hold with hardly a drop mean
// no more, provided that no smaller load misses: ITL may fall as the load rises.
[[nodiscard]] std::optional<std::int64_t> needed_by_row(const ServerRow& server,
                                                        const PerfRow& perf, const TabledLine& line,
                                                        const GridRow& row);

}  // namespace tonnage
