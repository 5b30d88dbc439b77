// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel bodies that size lines: index arithmetic and calls into the shared numerics, one thread
// per line. Lines are ordered by kind and batch size, so that the threads of a warp run alike.
// Owns: the rows of a chunk of lines on the device with their tables of 1/n and 1/mu(n), and which
// lines devices answer at all.
#pragma once

#include <cstdint>

#include "cuda/src/base/warp.hpp"
#include "tonnage/core/line.hpp"
#include "tonnage/core/percentile_sizing.hpp"

// Kernel bodies belong to the device under nvcc and to the emulation elsewhere.
#if defined(__CUDACC__)
#define TONNAGE_KERNEL_BODY __device__ __forceinline__
#define TONNAGE_KERNEL_CALL __device__ __noinline__ inline
#else
#define TONNAGE_KERNEL_BODY inline
#define TONNAGE_KERNEL_CALL inline
#endif

namespace tonnage::cuda {

// Kind of a line: the code that sizes it and the form of the sweep that tests it.
enum class LineKind : std::uint8_t {
  kPlain,              // one search over a uniform chunk count
  kUneven,             // ITL can turn down, or the rate range is empty
  kPercentile,         // TTFT is held to a percentile
  kStepped,            // chunk counts grow with the batch
  kSteppedPercentile,  // both
};
inline constexpr int kLineKinds = 5;
// Number of groups: kinds, with or without a waiting room, with or without targets on response time
// or drops.
inline constexpr int kLineGroups = kLineKinds * 4;
// The first group of a kind.
TONNAGE_HD constexpr int first_group(LineKind kind) { return static_cast<int>(kind) * 4; }
// Group of a line that devices leave out, because there is nothing to search.
inline constexpr int kHostLine = -1;

// The group of a line, the plain ones first, or kHostLine.
TONNAGE_HD int line_group(const ServerRow& server, const PerfRow& perf) {
  if (!needs_search(server, perf)) return kHostLine;
  const QueueShape shape = queue_shape(server, perf, batch_ceiling(server, perf));
  const double chunks_at_1 = chunk_count(shape.service, 1.0);
  const double chunks_at_m = chunk_count(shape.service, static_cast<double>(shape.max_batch));
  const RateRange range = rate_range(shape, server.has_tps_target, chunks_at_1, chunks_at_m);
  const bool plain =
      is_plain_pair(shape, chunks_at_1, chunks_at_m) && range.low_per_ms <= range.high_per_ms;
  const bool stepped = chunks_at_1 != chunks_at_m;
  LineKind kind = stepped ? LineKind::kStepped : plain ? LineKind::kPlain : LineKind::kUneven;
  if (server.targets.binds_percentile()) {
    kind = stepped ? LineKind::kSteppedPercentile : LineKind::kPercentile;
  }
  const bool is_extended = server.targets.e2e_ms > 0 || server.targets.drop > 0;
  return first_group(kind) + is_extended * 2 + static_cast<int>(shape.max_queue > 0);
}

// Entries of a line with this ceiling in arrays by batch size, rounded up so that every line begins
// a cache line.
TONNAGE_HD std::int64_t entry_count(std::int64_t ceiling) {
  return (ceiling + kWarpSize - 1) / kWarpSize * kWarpSize;
}

// The lines of a chunk. Kernels index positions in the order of work on the device.
struct ChunkRows {
  const ServerRow* servers;  // of the chunk, the first of them number `first_server`
  std::int64_t first_server;
  const PerfRow* perfs;  // of the problem
  const LineRow* lines;
  LineOutcome* outcomes;      // of each line
  const double* reciprocals;  // [n] = 1/n up to the largest batch ceiling; entry 0 unused
  // By position: its line, and where its entries begin in arrays by batch size.
  const std::int32_t* order;
  const std::int64_t* first_entry;
  // 1/mu(n) of the lines from position `first_stepped` on, whose chunk counts grow; entry 0 unused.
  std::int64_t first_stepped;
  double* inv_mu;

  TONNAGE_KERNEL_BODY const ServerRow& server(std::int64_t at) const {
    return servers[lines[order[at]].server - first_server];
  }
  TONNAGE_KERNEL_BODY const PerfRow& perf(std::int64_t at) const {
    return perfs[lines[order[at]].perf];
  }
  TONNAGE_KERNEL_BODY LineOutcome& outcome(std::int64_t at) const { return outcomes[order[at]]; }
  // inv_mu[n] from first_stepped on.
  TONNAGE_KERNEL_BODY double* inv_mu_of(std::int64_t at) const {
    return inv_mu + (first_entry[at] - first_entry[first_stepped]);
  }
};

// 1/mu(n) of a pair with one chunk count.
TONNAGE_KERNEL_BODY InverseMu uniform_inverse_mu(const ServerRow& server, const PerfRow& perf,
                                                 const double* reciprocals) {
  const ServiceParams service = queue_shape(server, perf, 1).service;
  const ServiceSegment s = service_segment(service, chunk_count(service, 1.0));
  return {s.inv_mu_slope_ms, s.inv_mu_base_ms, reciprocals};
}
// 1/mu(n) of a pair at one batch size, with any chunk count.
TONNAGE_KERNEL_BODY double inverse_mu_at(const ServerRow& server, const PerfRow& perf,
                                         std::int64_t n, const double* reciprocals) {
  const ServiceParams service = queue_shape(server, perf, n).service;
  const double chunks = chunk_count(service, static_cast<double>(n));
  return inverse_mu(service_segment(service, chunks), reciprocals[n]);
}
TONNAGE_KERNEL_BODY InverseMu inverse_mu_of_line(const ChunkRows& rows, std::int64_t at) {
  if (at >= rows.first_stepped) return {1.0, 0.0, rows.inv_mu_of(at)};
  return uniform_inverse_mu(rows.server(at), rows.perf(at), rows.reciprocals);
}

// size_rate() of a plain pair with a non-empty range, with 1/n from the table.
TONNAGE_KERNEL_BODY RateSearch<double> search_plain(const QueueShape& shape,
                                                    const LatencyTargets& targets,
                                                    const RateRange& range, double chunks,
                                                    const double* reciprocals) {
  const SizingLanes<double> lanes = sizing_lanes(shape, targets, range, chunks);
  const UniformEvaluator<double, TabledReciprocal> evaluate{lanes, {reciprocals}};
  return search_rate(evaluate, range.low_per_ms, range.high_per_ms, guess_rate(lanes));
}

// One pair at one rate, out of line: the search for uneven pairs evaluates at twenty places, and
// the chain should be compiled once.
template <class Pair>
TONNAGE_KERNEL_CALL auto averages_of_pair(const Pair& pair, double rate) {
  return pair.averages(rate);
}
template <class Pair, class Averages>
TONNAGE_KERNEL_CALL TargetPoint<double> compare_pair(const Pair& pair, const Averages& averages) {
  return pair.at(averages);
}
template <class Pair>
struct Called : Pair {
  TONNAGE_KERNEL_BODY auto averages(double rate) const {
    return averages_of_pair<Pair>(*this, rate);
  }
  template <class Averages>
  TONNAGE_KERNEL_BODY TargetPoint<double> at(const Averages& averages) const {
    return compare_pair<Pair>(*this, averages);
  }
  TONNAGE_KERNEL_BODY TargetPoint<double> operator()(double rate) const {
    return at(averages(rate));
  }
};

// size_rate() of any pair.
TONNAGE_KERNEL_CALL RateSearch<double> search_uneven_pair(const QueueShape& shape,
                                                          const LatencyTargets& targets,
                                                          bool has_tps_target,
                                                          const InverseMu& inv_mu) {
  const double chunks_at_1 = chunk_count(shape.service, 1.0);
  const double chunks_at_m = chunk_count(shape.service, static_cast<double>(shape.max_batch));
  const RateRange range = rate_range(shape, has_tps_target, chunks_at_1, chunks_at_m);
  RateSearch<double> none{};
  if (!(range.low_per_ms <= range.high_per_ms)) return none;
  const Called<SteppedEvaluator> evaluate{{{shape, inverse_targets(targets), 0.0}, inv_mu}};
  const SizingLanes<double> lanes = sizing_lanes(shape, targets, range, chunks_at_1);
  return search_uneven(evaluate, range, guess_rate(lanes), chunks_at_1, chunks_at_m);
}

// size_rate() of a pair whose TTFT target binds a percentile.
TONNAGE_KERNEL_CALL RateSearch<double> search_percentile_pair(const QueueShape& shape,
                                                              const LatencyTargets& targets,
                                                              bool has_tps_target,
                                                              const InverseMu& inv_mu) {
  return size_percentile<Called<PercentileEvaluator>>(shape, targets, has_tps_target, inv_mu);
}

// ttft_quantile() at a percentile. The tail is called at one place, so that it is compiled once.
TONNAGE_KERNEL_CALL double ttft_at_level(const QueueMetrics& m, std::int64_t max_queue,
                                         double probability) {
  const auto tail = [&](double t_ms) { return compute_wait_tail(m, max_queue, t_ms); };
  return search_wait_quantile(tail, m.full_rate_per_ms, max_queue, probability) + m.prefill_ms +
         m.itl_ms;
}

// finish_line() at one batch size.
TONNAGE_KERNEL_CALL LineOutcome finish_on_percentile(const ServerRow& server, const PerfRow& perf,
                                                     std::int64_t batch,
                                                     const RateSearch<double>& found) {
  const double level = server.targets.ttft_percentile / 100;
  return finish_line_with(server, perf, batch, found,
                          percentile_figures([&](const QueueMetrics& m, std::int64_t q) {
                            return ttft_at_level(m, q, level);
                          }));
}

// size_pair() of a line at one batch size; inv_mu() is called only where it matters.
template <class GetInverseMu>
TONNAGE_KERNEL_BODY RateSearch<double> search_batch(const ServerRow& server, const PerfRow& perf,
                                                    std::int64_t batch, const double* reciprocals,
                                                    const GetInverseMu& inv_mu) {
  const QueueShape shape = queue_shape(server, perf, batch);
  if (server.targets.binds_percentile()) {
    return search_percentile_pair(shape, server.targets, server.has_tps_target, inv_mu());
  }
  const double chunks_at_1 = chunk_count(shape.service, 1.0);
  const double chunks_at_m = chunk_count(shape.service, static_cast<double>(batch));
  const RateRange range = rate_range(shape, server.has_tps_target, chunks_at_1, chunks_at_m);
  if (is_plain_pair(shape, chunks_at_1, chunks_at_m) && range.low_per_ms <= range.high_per_ms) {
    return search_plain(shape, server.targets, range, chunks_at_1, reciprocals);
  }
  return search_uneven_pair(shape, server.targets, server.has_tps_target, inv_mu());
}

// table[n] = 1/n.
struct FillReciprocals {
  static constexpr int kThreadsPerItem = 1;
  double* table;
  TONNAGE_KERNEL_BODY void operator()(std::int64_t n) const {
    if (n > 0) table[n] = 1.0 / static_cast<double>(n);
  }
};

// The tables of lines whose chunk counts grow: one warp per line, each thread one of 32 batch
// sizes.
struct FillInverseMu {
  static constexpr int kThreadsPerItem = kWarpSize;
  ChunkRows rows;

  template <class Warp>
  TONNAGE_KERNEL_BODY void operator()(const Warp& warp, std::int64_t item) const {
    const std::int64_t line = rows.first_stepped + item;
    const ServerRow& server = rows.server(line);
    const PerfRow& perf = rows.perf(line);
    const std::int64_t ceiling = batch_ceiling(server, perf);
    double* inv_mu = rows.inv_mu_of(line);
    for (std::int64_t base = 1; base <= ceiling; base += kWarpSize) {
      warp.each([&](int t) {
        const std::int64_t n = base + t;
        if (n <= ceiling) inv_mu[n] = inverse_mu_at(server, perf, n, rows.reciprocals);
      });
    }
  }
};

struct SizePlainLines {
  static constexpr int kThreadsPerItem = 1;
  ChunkRows rows;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t line) const {
    const ServerRow& server = rows.server(line);
    const PerfRow& perf = rows.perf(line);
    const std::int64_t ceiling = batch_ceiling(server, perf);
    const QueueShape shape = queue_shape(server, perf, ceiling);
    const double chunks = chunk_count(shape.service, 1.0);
    const RateRange range = rate_range(shape, server.has_tps_target, chunks, chunks);
    rows.outcome(line) = finish_line_on_averages(
        server, perf, ceiling,
        search_plain(shape, server.targets, range, chunks, rows.reciprocals));
  }
};

struct SizeUnevenLines {
  static constexpr int kThreadsPerItem = 1;
  ChunkRows rows;
  std::int64_t first;  // line of item 0

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const std::int64_t line = first + item;
    const ServerRow& server = rows.server(line);
    const PerfRow& perf = rows.perf(line);
    const std::int64_t ceiling = batch_ceiling(server, perf);
    rows.outcome(line) = finish_line_on_averages(
        server, perf, ceiling,
        search_uneven_pair(queue_shape(server, perf, ceiling), server.targets,
                           server.has_tps_target, inverse_mu_of_line(rows, line)));
  }
};

struct SizePercentileLines {
  static constexpr int kThreadsPerItem = 1;
  ChunkRows rows;
  std::int64_t first;  // line of item 0

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const std::int64_t line = first + item;
    const ServerRow& server = rows.server(line);
    const PerfRow& perf = rows.perf(line);
    const std::int64_t ceiling = batch_ceiling(server, perf);
    rows.outcome(line) = finish_on_percentile(
        server, perf, ceiling,
        search_percentile_pair(queue_shape(server, perf, ceiling), server.targets,
                               server.has_tps_target, inverse_mu_of_line(rows, line)));
  }
};

}  // namespace tonnage::cuda
