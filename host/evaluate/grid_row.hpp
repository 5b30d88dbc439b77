// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The replicas that a batch size needs, from the metrics of its row of the grid (ascending replica
// counts). Owns: when a row decides its verdicts without sizing.
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
  // As in QueueMetrics, and rate/mu(M). Needed if the TTFT target of the server binds a percentile.
  const double* wait_weight;
  const double* load;
};

// The least sufficient replica count of the row; -1 if each misses a target or exceeds the
// sustainable rate; none if sizing must decide, because drops matter or a target is too close. A
// miss means that more replicas are needed. A hit with negligible drops means that no more are
// needed, provided that no smaller load misses, since ITL may fall as the load rises.
[[nodiscard]] std::optional<std::int64_t> needed_by_row(const ServerRow& server,
                                                        const PerfRow& perf, const TabledLine& line,
                                                        const GridRow& row);

}  // namespace tonnage
