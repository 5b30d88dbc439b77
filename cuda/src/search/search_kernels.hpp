// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel bodies of the search over batch sizes, one warp per line. The sweep holds 32 replica
// counts in its lanes and passes over all batch sizes once; the kernels of settle_kernels.hpp size
// the candidates that pass. Two rounds of sweep and settling answer every line. Owns: the state of
// a search, and the replica counts of a round.
#pragma once

#include <cstdint>

#include "cuda/src/base/warp.hpp"
#include "cuda/src/search/line_kernels.hpp"
#include "tonnage/core/sweep_kernel.hpp"

namespace tonnage::cuda {

// Stage of a line: what the next round does with it.
enum class SearchStage : std::int32_t {
  kDone,
  kLowest,  // infeasible at its ceiling: every batch size that holds at the lowest rate is sized
  kNear,    // the replica counts from `after` + 1 up to the first at which some batch size passes
  kRest,    // counts spread over (after, to]: what passes there and was not sized yet is sized
  kGrid,    // every replica count of (after, to]
};

struct LineSearch {
  std::int64_t after;  // this many replicas are too few for every batch size
  std::int64_t to;     // upper bound of the answer
  // Among the candidates that passed the last sweep: the least replica count, and the smallest
  // batch size with it; 0 if none passed.
  std::int32_t first_count;
  std::int32_t first_batch;
  SearchStage stage;
};

struct SearchCounts {
  std::int64_t candidates;  // (M, r) evaluated
  std::int64_t passed;
  std::int64_t sized;  // batch sizes, but for the first of each line
};

struct SearchRows {
  ChunkRows rows;
  LineSearch* searches;  // of each position
  // By batch size of a line: the first replica count that passed; 0: none; kSized: already sized.
  std::int32_t* entries;
  SearchCounts* counts;
  bool whole_grid;
};
inline constexpr std::int32_t kSized = -1;
inline constexpr std::uint32_t kNoEntry = ~0u;
// Marks a line with too many batch sizes to size: the host answers it.
inline constexpr std::int64_t kLeftToHost = -1;
// Rounds of sweep and settling after which every line is done.
inline constexpr int kSearchRounds = 2;

// Initialises the search of each sized line.
struct StartSearches {
  static constexpr int kThreadsPerItem = 1;
  SearchRows all;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t line) const {
    const LineOutcome& at_ceiling = all.rows.outcome(line);
    const std::int64_t min_replicas = all.rows.server(line).min_replicas;
    LineSearch& search = all.searches[line];
    search.after = (min_replicas > 1 ? min_replicas : 1) - 1;
    search.to = at_ceiling.num_replicas;
    const bool sized = at_ceiling.sized();
    search.stage = !sized           ? SearchStage::kLowest
                   : all.whole_grid ? SearchStage::kGrid
                                    : SearchStage::kNear;
  }
};

// One pass over all batch sizes with 32 replica counts, ascending over the lanes. Returns a mask:
// bit t says whether some batch size passes with the count of lane t.
template <bool kHasRoom, bool kStepped, bool kExtended, class Warp>
struct SweepPass {
  using V = typename Warp::Real;
  using Counts = typename Warp::template Each<double>;

  const Warp& warp;
  const SweepLine& line;
  const double* table;    // 1/mu(n) where kStepped, else 1/n
  std::int32_t* entries;  // of the line
  std::int64_t passed = 0;
  // By thread, over the entries it has set: the least count, and the smallest batch size with it.
  typename Warp::template Each<std::uint32_t> least_count{}, least_batch{};

  // `wanted`: the lanes to consider. `keeps`: entries set before stay.
  TONNAGE_KERNEL_BODY std::uint32_t operator()(const Counts& replicas, std::uint32_t wanted,
                                               bool keeps) {
    if (!keeps) warp.each([&](int t) { least_count[t] = least_batch[t] = kNoEntry; });
    const V rate = sweep_rate(line, warp.lanes(replicas));
    // By thread, for its batch size of the current group of 32: the lanes that passed.
    typename Warp::template Each<std::uint32_t> bits, any_bits, num_passed;
    warp.each([&](int t) { any_bits[t] = num_passed[t] = bits[t] = 0; });
    typename Warp::template Each<std::int32_t> own;
    warp.each([&](int t) { own[t] = t + 1; });
    const auto last_batch = static_cast<std::int32_t>(line.max_batch);
    const auto take = [&](std::int32_t batch, const LaneMask<V>& holds) {
      const std::uint32_t mask = warp.ballot(holds);
      warp.each([&](int t) { bits[t] = batch == own[t] ? mask : bits[t]; });
    };
    const auto end_block = [&](std::int32_t batch) {
      const int slot = (batch - 1) % kWarpSize;
      if (slot != kWarpSize - 1 && batch != last_batch) return;
      warp.each([&](int t) {
        bits[t] = t <= slot ? bits[t] & wanted : 0;
        any_bits[t] |= bits[t];
        num_passed[t] += static_cast<std::uint32_t>(bit_count(bits[t]));
        own[t] += kWarpSize;
      });
      store(bits, replicas, batch - 1 - slot, slot, keeps);
    };
    if constexpr (kStepped) {
      sweep_pack<kHasRoom, true, kExtended>(line, rate, TabledLoad<V>{rate, table}, take,
                                            end_block);
    } else {
      const UniformLoad<V, TabledReciprocal> load{
          rate * V(line.inv_mu_slope_ms), rate * V(line.inv_mu_base_ms), {table}};
      sweep_pack<kHasRoom, false, kExtended>(line, rate, load, take, end_block);
    }
    passed += warp.sum(num_passed);
    return warp.merge(any_bits);
  }

 private:
  // Stores the first count that passed, for each batch size of a group.
  TONNAGE_KERNEL_BODY void store(const typename Warp::template Each<std::uint32_t>& bits,
                                 const Counts& replicas, std::int64_t base, int last, bool keeps) {
    typename Warp::template Each<int> lane;
    warp.each([&](int t) { lane[t] = bits[t] != 0 ? lowest_bit(bits[t]) : 0; });
    const typename Warp::template Each<double> first = warp.gather(replicas, lane);
    warp.each([&](int t) {
      if (t > last) return;
      std::int32_t& entry = entries[base + t];
      if (keeps && entry != 0) return;
      entry = bits[t] != 0 ? static_cast<std::int32_t>(first[t]) : 0;
      if (bits[t] == 0 || static_cast<std::uint32_t>(entry) >= least_count[t]) return;
      least_count[t] = static_cast<std::uint32_t>(entry);
      least_batch[t] = static_cast<std::uint32_t>(base + t + 1);
    });
  }
};

template <bool kHasRoom, bool kStepped, bool kExtended>
struct SweepLines {
  static constexpr int kThreadsPerItem = kWarpSize;
  SearchRows all;
  std::int64_t first;  // line of item 0: each group has a form of its own

  template <class Warp>
  TONNAGE_KERNEL_BODY void operator()(const Warp& warp, std::int64_t item) const {
    const std::int64_t at = first + item;
    LineSearch search = all.searches[at];
    if (search.stage == SearchStage::kDone) return;
    const ServerRow& server = all.rows.server(at);
    const PerfRow& perf = all.rows.perf(at);
    const QueueShape shape = queue_shape(server, perf, batch_ceiling(server, perf));
    const double chunks_at_1 = chunk_count(shape.service, 1.0);
    const double chunks_at_m = chunk_count(shape.service, static_cast<double>(shape.max_batch));
    const SweepLine line = sweep_line(shape, server.targets, server.has_tps_target,
                                      server.total_rate_per_ms, chunks_at_1, chunks_at_m);
    SweepPass<kHasRoom, kStepped, kExtended, Warp> pass{
        warp, line, kStepped ? all.rows.inv_mu_of(at) : all.rows.reciprocals,
        all.entries + all.rows.first_entry[at]};
    std::int64_t candidates = 0;
    for (Window window = first_window(search); window.count > 0;) {
      typename Warp::template Each<double> replicas;
      warp.each([&](int t) { replicas[t] = static_cast<double>(window.replicas(t)); });
      const bool all_lanes = window.count == kWarpSize;
      const std::uint32_t wanted = all_lanes ? ~0u : (1u << window.count) - 1;
      const std::uint32_t any = pass(replicas, wanted, window.keeps);
      candidates += window.count * shape.max_batch;
      window = next_window(search, window, any);
    }
    const std::uint32_t count = warp.least(pass.least_count);
    warp.each([&](int t) {
      if (pass.least_count[t] != count) pass.least_batch[t] = kNoEntry;
    });
    const std::uint32_t batch = warp.least(pass.least_batch);
    const bool any_passed = count != kNoEntry;
    warp.sync();
    warp.once([&] {
      all.searches[at].after = search.after;
      all.searches[at].first_count = any_passed ? static_cast<std::int32_t>(count) : 0;
      all.searches[at].first_batch = any_passed ? static_cast<std::int32_t>(batch) : 0;
    });
    warp.add(&all.counts->candidates, candidates);
    warp.add(&all.counts->passed, pass.passed);
  }

 private:
  // The replica counts of one pass: after + 1, after + 2, ..., or 32 counts spread over (after,
  // to].
  struct Window {
    std::int64_t after;
    std::int64_t to;
    std::int32_t count;  // 0: no further pass
    bool spread;
    bool keeps;  // entries set by an earlier pass stay

    TONNAGE_KERNEL_BODY std::int64_t replicas(int t) const {
      if (!spread) return after + 1 + (t < count ? t : count - 1);
      const std::int64_t offset = (to - after) * (t + 1) / kWarpSize;
      return after + (offset > 1 ? offset : 1);
    }
  };

  TONNAGE_KERNEL_BODY static Window next_counts(std::int64_t after, std::int64_t to, bool keeps) {
    const std::int64_t left = to - after;
    return {after, to, static_cast<std::int32_t>(left < kWarpSize ? left : kWarpSize), false,
            keeps};
  }

  TONNAGE_KERNEL_BODY static Window first_window(const LineSearch& search) {
    if (search.stage == SearchStage::kLowest) {
      return {kMaxReplicas - 1, kMaxReplicas, 1, false, false};
    }
    if (search.stage == SearchStage::kRest) {
      return {search.after, search.to, kWarpSize, true, true};
    }
    return next_counts(search.after, search.to, false);
  }

  // Advances the search after a pass over `window` in which the lanes of `any` passed. In stage
  // kNear the last window is the first run of neighbouring counts with a batch size that passes;
  // search.after moves up to it.
  TONNAGE_KERNEL_BODY static Window next_window(LineSearch& search, const Window& window,
                                                std::uint32_t any) {
    const Window none{0, 0, 0, false, false};
    const std::int64_t end = window.after + window.count;
    if (search.stage == SearchStage::kGrid) {
      return end < search.to ? next_counts(end, search.to, true) : none;
    }
    if (search.stage != SearchStage::kNear) return none;
    std::int64_t after = end, to = search.to;
    if (window.spread) {
      // If none passes, only the answer of the ceiling remains.
      const int first = any != 0 ? lowest_bit(any) : kWarpSize - 1;
      to = window.replicas(first);
      after = any == 0 ? to : (first > 0 ? window.replicas(first - 1) : window.after);
    } else if (any != 0) {
      after = window.after;
    }
    search.after = after;
    if ((!window.spread && any != 0) || after >= to) return none;
    if (to - after > kWarpSize) return {after, to, kWarpSize, true, false};
    return next_counts(after, search.to, false);
  }
};

}  // namespace tonnage::cuda
