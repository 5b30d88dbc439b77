// Kernel bodies that size lines: index arithmetic and one call into the shared numerics. One thread
// a line; the engine sorts lines by kind and batch size, so that threads of a warp run alike.
// Owns: the rows of a chunk of lines on the device, and which lines a device answers at all.
#pragma once

#include <cstdint>

#include "tonnage/core/line.hpp"
#include "tonnage/core/sizing.hpp"

// Kernel bodies belong to the device under nvcc and to the emulation elsewhere.
#if defined(__CUDACC__)
#define TONNAGE_KERNEL_BODY __device__ __forceinline__
#define TONNAGE_KERNEL_CALL __device__ __noinline__ inline
#else
#define TONNAGE_KERNEL_BODY inline
#define TONNAGE_KERNEL_CALL inline
#endif

namespace tonnage::cuda {

enum class LineKind : std::uint8_t {
  kHost,    // nothing to search, or a target on a percentile, which takes exp and log
  kPlain,   // one search over a uniform chunk count
  kUneven,  // chunk counts that grow, ITL that can turn down, or an empty rate range
};

inline LineKind line_kind(const ServerRow& server, const PerfRow& perf) {
  if (!needs_search(server, perf) || server.targets.binds_percentile()) return LineKind::kHost;
  const QueueShape shape = queue_shape(server, perf, batch_ceiling(server, perf));
  const double chunks_at_1 = chunk_count(shape.service, 1.0);
  const double chunks_at_m = chunk_count(shape.service, static_cast<double>(shape.max_batch));
  const RateRange range = rate_range(shape, server.has_tps_target, chunks_at_1, chunks_at_m);
  return is_plain_pair(shape, chunks_at_1, chunks_at_m) && range.low_per_ms <= range.high_per_ms
             ? LineKind::kPlain
             : LineKind::kUneven;
}

// The lines of a chunk, in the order in which the device works on them.
struct ChunkRows {
  const ServerRow* servers;   // of the chunk
  const PerfRow* perfs;       // of the problem
  const LineRow* lines;       // servers counted from the chunk's first
  const double* reciprocals;  // [n] = 1/n up to the largest batch ceiling; entry 0 unused
  LineOutcome* outcomes;      // of each line

  TONNAGE_KERNEL_BODY const ServerRow& server(std::int64_t line) const {
    return servers[lines[line].server];
  }
  TONNAGE_KERNEL_BODY const PerfRow& perf(std::int64_t line) const {
    return perfs[lines[line].perf];
  }
};

// size_rate() of a plain pair whose range is not empty, with 1/n from the table.
TONNAGE_KERNEL_BODY RateSearch<double> search_plain(const QueueShape& shape,
                                                    const LatencyTargets& targets,
                                                    const RateRange& range, double chunks,
                                                    const double* reciprocals) {
  const SizingLanes<double> lanes = sizing_lanes(shape, targets, range, chunks);
  const UniformEvaluator<double, TabledReciprocal> evaluate{lanes, {reciprocals}};
  return search_rate(evaluate, range.low_per_ms, range.high_per_ms, guess_rate(lanes));
}

// table[n] = 1/n.
struct FillReciprocals {
  static constexpr int kThreadsPerItem = 1;
  double* table;
  TONNAGE_KERNEL_BODY void operator()(std::int64_t n) const {
    if (n > 0) table[n] = 1.0 / static_cast<double>(n);
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
    rows.outcomes[line] = finish_line_on_averages(
        server, perf, ceiling,
        search_plain(shape, server.targets, range, chunks, rows.reciprocals));
  }
};

struct SizeUnevenLines {
  static constexpr int kThreadsPerItem = 1;
  ChunkRows rows;
  std::int64_t first;  // they follow the plain ones

  TONNAGE_KERNEL_BODY void operator()(std::int64_t item) const {
    const std::int64_t line = first + item;
    const ServerRow& server = rows.server(line);
    const PerfRow& perf = rows.perf(line);
    const std::int64_t ceiling = batch_ceiling(server, perf);
    rows.outcomes[line] = finish_line_on_averages(
        server, perf, ceiling,
        size_rate(queue_shape(server, perf, ceiling), server.targets, server.has_tps_target));
  }
};

}  // namespace tonnage::cuda
