// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A line for the CPU benchmarks. Owns: its parameters, and the tables that its kernels share.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "direct_sum.hpp"
#include "host/evaluate/simd/kernels.hpp"

namespace tonnage::bench {

struct SampleLine {
  QueueShape shape;
  LatencyTargets targets{40, 900};
  double total_rate_per_ms;
  std::vector<double> reciprocal, inv_mu, chunks, delta, work;
  TabledLine line;

  SampleLine(std::int64_t max_batch, std::int64_t max_queue)
      : shape{{12, 0.05, 0.0005, 128, 512, 8192}, max_batch, max_queue} {
    const auto size = static_cast<std::size_t>(max_batch) + 1;
    for (auto* table : {&reciprocal, &inv_mu, &chunks, &delta, &work}) table->resize(size);
    for (std::int64_t n = 1; n <= max_batch; ++n) {
      const double batch = static_cast<double>(n);
      const ServiceSegment s = service_segment(shape.service, chunk_count(shape.service, batch));
      reciprocal[n] = 1.0 / batch;
      inv_mu[n] = inverse_mu(s, reciprocal[n]);
      chunks[n] = s.chunks;
      delta[n] = s.delta_ms;
      work[n] = s.prefill_work_ms;
    }
    // A fifth of the replica range is overloaded, so that candidates both pass and fail.
    total_rate_per_ms = 20 * departure_rate(shape.service, static_cast<double>(max_batch));
    line.sweep = sweep_line(shape, targets, false, total_rate_per_ms, chunks[1], chunks[max_batch]);
    line.inv_target = inverse_targets(targets);
    line.out_tokens = shape.service.out_tokens;
    line.alpha_ms = shape.service.alpha_ms;
    line.rate_share = kRateHigh;
    line.stepped = false;
    line.reciprocal = reciprocal.data();
    line.inv_mu = inv_mu.data();
    line.chunks = chunks.data();
    line.delta_ms = delta.data();
    line.work_ms = work.data();
  }

  [[nodiscard]] DirectMetrics direct(const std::vector<double>& mu, std::int64_t m,
                                     std::int64_t r) const {
    const double rate =
        std::max(total_rate_per_ms / static_cast<double>(r), line.sweep.rate_low_per_ms);
    return direct_sum(shape.service, mu, m, shape.max_queue, rate);
  }
};

// Runs the same work on 1, 2, 4, ... threads, each on its own line.
inline void on_all_processors(benchmark::internal::Benchmark* b) {
  const int all = benchmark::CPUInfo::Get().num_cpus;
  b->ArgNames({"M", "R", "Q"})->Args({256, 64, 0})->UseRealTime();
  for (int threads = 1; threads < 2 * all; threads *= 2) b->Threads(std::min(threads, all));
}

}  // namespace tonnage::bench
