// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel bodies that settle what a sweep has passed: sizing of one batch size per line, then of
// lanes over batch sizes. Owns: the order of settling, by which the answer is always the fewest
// replicas and among those the smallest batch size. The sweep is in search_kernels.hpp.
#pragma once

#include <cstdint>

#include "cuda/src/search/search_kernels.hpp"

namespace tonnage::cuda {

// Sizes the smallest batch size of the least count that passed, one thread per line. If that count
// suffices, as it mostly does, this is the answer. SettleLines continues with the other lines.
struct SettleFirst {
  static constexpr int kThreadsPerItem = 1;
  SearchRows all;

  TONNAGE_KERNEL_BODY void operator()(std::int64_t line) const {
    LineSearch& search = all.searches[line];
    if (search.stage != SearchStage::kNear && search.stage != SearchStage::kGrid) return;
    LineOutcome& best = all.rows.outcome(line);
    if (search.first_count == 0 || search.first_count > best.num_replicas) return;
    const ServerRow& server = all.rows.server(line);
    const std::int64_t batch = search.first_batch;
    all.entries[all.rows.first_entry[line] + batch - 1] = kSized;
    const RateSearch<double> found =
        search_batch(server, all.rows.perf(line), batch, all.rows.reciprocals,
                     [&] { return inverse_mu_of_line(all.rows, line); });
    if (!found.feasible) return;
    const LineOutcome outcome = line_at_goodput(server, batch, found.throughput_per_ms);
    const std::int64_t replicas = outcome.num_replicas;
    if (replicas == 0) return;
    if (replicas < best.num_replicas || (replicas == best.num_replicas && batch < best.max_batch)) {
      best = outcome;
    }
    if (replicas <= search.first_count) search.stage = SearchStage::kDone;
  }
};

struct SettleLines {
  static constexpr int kThreadsPerItem = kWarpSize;
  SearchRows all;

  template <class Warp>
  TONNAGE_KERNEL_BODY void operator()(const Warp& warp, std::int64_t item) const {
    LineSearch search = all.searches[item];
    if (search.stage == SearchStage::kDone) return;
    Settling<Warp> settle{warp,
                          all.rows,
                          item,
                          all.rows.server(item),
                          all.rows.perf(item),
                          all.entries + all.rows.first_entry[item],
                          batch_ceiling(all.rows.server(item), all.rows.perf(item)),
                          all.rows.outcome(item),
                          search.stage != SearchStage::kLowest,
                          !all.whole_grid};
    const bool in_steps = search.stage == SearchStage::kNear || search.stage == SearchStage::kGrid;
    SearchStage next = SearchStage::kDone;
    if (in_steps) {
      settle.step_by_step();
      // If no batch size suffices with the counts swept, try the counts beyond them.
      const std::int64_t swept = search.after + kWarpSize;
      if (search.stage == SearchStage::kNear && settle.best.num_replicas > swept &&
          search.after < search.to) {
        next = SearchStage::kRest;
        search.after = swept;
        search.to = settle.best.num_replicas;
      }
    } else {
      settle.all_at_once(search.after + 1);
      if (search.stage == SearchStage::kLowest && all.whole_grid && settle.has_best) {
        next = SearchStage::kGrid;
        search.to = settle.best.num_replicas;
      }
    }
    if (settle.too_many()) next = SearchStage::kDone;
    warp.sync();
    warp.add(&all.counts->sized, settle.sized);
    warp.once([&] {
      if (settle.has_best) all.rows.outcome(item) = settle.best;
      if (settle.too_many()) all.rows.outcome(item).num_replicas = kLeftToHost;
      all.searches[item] = {search.after, search.to, 0, 0, next};
    });
  }

 private:
  template <class Warp>
  struct Settling {
    const Warp& warp;
    const ChunkRows& rows;
    std::int64_t line;
    const ServerRow& server;
    const PerfRow& perf;
    std::int32_t* entries;
    std::int64_t ceiling;
    LineOutcome best;
    bool has_best;
    bool is_bounded;  // whether there may be too many batch sizes
    std::int64_t sized = 0;

    TONNAGE_KERNEL_BODY bool too_many() const {
      return is_bounded && ceiling > kShortLine && sized > kMostSized;
    }

    // Sizes batch sizes in the order of the least count that passed, then of batch size, until no
    // other can be better. Counts that passed are consecutive.
    TONNAGE_KERNEL_BODY void step_by_step() {
      while (!too_many()) {
        const std::uint32_t count = least_entry();
        if (count == kNoEntry || count > best.num_replicas) return;
        for (std::int64_t base = 0; base < ceiling; base += kWarpSize) {
          // No batch size needs fewer than `count` now, so the smallest of equals is found first.
          if (best.num_replicas == count && best.max_batch <= base) return;
          size_group(base,
                     [&](std::int32_t entry) { return entry == static_cast<std::int32_t>(count); });
          if (too_many()) return;
        }
        if (best.num_replicas <= count) return;
      }
    }

    // Sizes every batch size that passed; none needs fewer replicas than `fewest`.
    TONNAGE_KERNEL_BODY void all_at_once(std::int64_t fewest) {
      for (std::int64_t base = 0; base < ceiling; base += kWarpSize) {
        if (has_best && best.num_replicas == fewest && best.max_batch <= base) return;
        size_group(base, [](std::int32_t entry) { return entry > 0; });
        if (too_many()) return;
      }
    }

   private:
    TONNAGE_KERNEL_BODY std::uint32_t least_entry() const {
      typename Warp::template Each<std::uint32_t> least;
      warp.each([&](int t) {
        least[t] = kNoEntry;
        for (std::int64_t i = t; i < ceiling; i += kWarpSize) {
          const std::uint32_t entry =
              entries[i] > 0 ? static_cast<std::uint32_t>(entries[i]) : kNoEntry;
          if (entry < least[t]) least[t] = entry;
        }
      });
      return warp.least(least);
    }

    // Sizes those batch sizes of base + 1 .. base + 32 whose entry is wanted.
    template <class Wanted>
    TONNAGE_KERNEL_BODY void size_group(std::int64_t base, const Wanted& wanted) {
      typename Warp::template Each<bool> chosen;
      warp.each([&](int t) { chosen[t] = base + t < ceiling && wanted(entries[base + t]); });
      const std::uint32_t all_chosen = warp.ballot(chosen);
      if (all_chosen == 0) return;
      sized += bit_count(all_chosen);
      typename Warp::template Each<double> goodput;
      typename Warp::template Each<std::uint32_t> replicas;
      warp.each([&](int t) {
        goodput[t] = 0;
        replicas[t] = kNoEntry;
        if (!chosen[t]) return;
        entries[base + t] = kSized;
        const RateSearch<double> found =
            search_batch(server, perf, base + t + 1, rows.reciprocals,
                         [&] { return inverse_mu_of_line(rows, line); });
        if (!found.feasible) return;
        goodput[t] = found.throughput_per_ms;
        const LineOutcome outcome = line_at_goodput(server, base + t + 1, goodput[t]);
        if (outcome.num_replicas > 0)
          replicas[t] = static_cast<std::uint32_t>(outcome.num_replicas);
      });
      const std::uint32_t least = warp.least(replicas);
      if (least == kNoEntry) return;
      typename Warp::template Each<bool> is_least;
      warp.each([&](int t) { is_least[t] = replicas[t] == least; });
      const int winner = lowest_bit(warp.ballot(is_least));
      const std::int64_t batch = base + winner + 1;
      if (has_best &&
          (best.num_replicas < least || (best.num_replicas == least && best.max_batch < batch))) {
        return;
      }
      best = line_at_goodput(server, batch, warp.from(goodput, winner));
      has_best = true;
    }
  };
};

}  // namespace tonnage::cuda
