// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Searches batch sizes of one line by sweeps, sizing and bounds. The kernels are in simd/, the
// bounds in tonnage/core/goodput_search.hpp.
#include "host/evaluate/batch_search.hpp"

#include <algorithm>
#include <cmath>

#include "tonnage/core/goodput_search.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {
namespace {

// Replica counts per sweep call: a multiple of every pack width.
constexpr std::int64_t kWindow = 16;
// Up to this many windows are swept one after the other. In larger ranges first_passing() skips the
// counts that cannot pass.
constexpr std::int64_t kFewWindows = 4;
// Most sweeps of a line longer than kShortLine. Each is a pass over all batch sizes; most lines
// need one or two.
constexpr std::int64_t kMostSweeps = 12;

}  // namespace

void BatchSearch::prepare(const ServerRow& server, const PerfRow& perf) {
  server_ = &server;
  perf_ = &perf;
  const auto size = static_cast<std::size_t>(batch_ceiling(server, perf)) + 1;
  least_.assign(size, 0);
  need_.assign(size, 0);
  tables_.prepare(server, perf, reciprocals_);
  sized_ = sweeps_ = 0;
}

bool BatchSearch::affords(std::size_t batches) const {
  return !bounded_ || line().sweep.max_batch <= kShortLine ||
         (sized_ + static_cast<std::int64_t>(batches) <= kMostSized && sweeps_ <= kMostSweeps);
}

void BatchSearch::sweep(const std::vector<std::int64_t>& replicas, SweepCounts& counts) {
  const auto count = static_cast<std::int64_t>(replicas.size());
  ++sweeps_;
  counts.candidates += count * line().sweep.max_batch;
  counts.passed += kernels_.sweep_line(line(), replicas.data(), count, least_.data());
}

void BatchSearch::size_batches(const std::vector<std::int64_t>& batches) {
  meter_.check();
  sized_ += static_cast<std::int64_t>(batches.size());
  goodput_.resize(batches.size());
  kernels_.size_batches(line(), batches.data(), static_cast<std::int64_t>(batches.size()),
                        goodput_.data());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    // The count must not exceed that of the single search, which decides.
    const double goodput = goodput_[i] * (1 + kPackedTolerance);
    const std::int64_t replicas =
        goodput > 0 ? replicas_needed(server_->total_rate_per_ms, goodput, server_->min_replicas)
                    : 0;
    need_[batches[i]] = replicas > 0 ? replicas : -1;
  }
}

LineOutcome BatchSearch::size_exactly(std::int64_t batch) const {
  return finish_line(*server_, *perf_, batch,
                     kernels_.size_one(queue_shape(*server_, *perf_, batch), server_->targets,
                                       server_->has_tps_target, line().inv_mu));
}

std::optional<LineOutcome> BatchSearch::settle(std::int64_t from, std::int64_t to) {
  const std::int64_t ceiling = line().sweep.max_batch;
  for (std::int64_t r = from; r <= to; ++r) {
    for (std::int64_t m = 1; m <= ceiling;) {
      // Size the next unsized batch sizes that may suffice with r replicas.
      pack_.clear();
      std::int64_t scan = m;
      for (; scan <= ceiling && static_cast<std::int64_t>(pack_.size()) < kWindow; ++scan) {
        if (need_[scan] == 0 && least_[scan] != 0 && least_[scan] <= r) pack_.push_back(scan);
      }
      if (!affords(pack_.size())) return {};
      if (!pack_.empty()) size_batches(pack_);
      for (; m < scan; ++m) {
        if (need_[m] <= 0 || need_[m] > r || least_[m] == 0 || least_[m] > r) continue;
        const LineOutcome outcome = size_exactly(m);
        if (outcome.sized() && outcome.num_replicas <= r) return outcome;
        need_[m] = outcome.sized() ? outcome.num_replicas : -1;
      }
    }
  }
  LineOutcome none;
  none.reason = Reason::kNoCandidates;
  return none;
}

std::int64_t BatchSearch::first_passing(std::int64_t after, std::int64_t to, SweepCounts& counts) {
  const auto passing = [&](std::int64_t r) {
    for (std::size_t m = 1; m < least_.size(); ++m) {
      if (need_[m] == 0 && least_[m] != 0 && least_[m] <= r) return true;
    }
    return false;
  };
  while (to - after > 0) {
    replicas_.clear();
    const double width = static_cast<double>(to - after);
    const double steps = static_cast<double>(std::min(kWindow, to - after));
    for (double i = 1; i <= steps; ++i) {
      // Evenly spaced over a small interval, geometrically over a large one.
      const double offset = width <= 64 * static_cast<double>(kWindow) ? width * i / steps
                                                                       : std::pow(width, i / steps);
      const std::int64_t r =
          std::min(to, after + std::max<std::int64_t>(1, static_cast<std::int64_t>(offset)));
      if (replicas_.empty() || r > replicas_.back()) replicas_.push_back(r);
    }
    std::fill(least_.begin(), least_.end(), 0);
    sweep(replicas_, counts);
    std::int64_t before = after, found = 0;
    for (const std::int64_t r : replicas_) {
      if (passing(r)) {
        found = r;
        break;
      }
      before = r;
    }
    if (found == 0) return 0;
    if (found - before == 1) return found;
    after = before;
    to = found;
  }
  return 0;
}

std::int64_t BatchSearch::next_count(std::int64_t after, std::int64_t most, SweepCounts& counts) {
  if (most - after <= kFewWindows * kWindow) return after + 1;
  // Sizing never needs fewer replicas than these. Up to this count only unsized batch sizes can
  // suffice.
  std::int64_t least_need = most + 1;
  for (const std::int64_t need : need_) {
    if (need > after) least_need = std::min(least_need, need);
  }
  const std::int64_t next = first_passing(after, least_need - 1, counts);
  return next > 0 ? next : least_need;
}

std::optional<std::int64_t> BatchSearch::most_replicas(const LineOutcome& at_ceiling,
                                                       SweepCounts& counts) {
  if (at_ceiling.sized()) return at_ceiling.num_replicas;
  // The ceiling is infeasible, so size the batch sizes that hold at the low end of the rate range.
  sweep({kMaxReplicas}, counts);
  std::vector<std::int64_t> batches;
  for (std::int64_t m = 1; m <= line().sweep.max_batch; ++m) {
    if (least_[m] != 0) batches.push_back(m);
  }
  std::fill(least_.begin(), least_.end(), 0);
  if (batches.empty()) return 0;
  if (!affords(batches.size())) return {};
  size_batches(batches);
  // The plain search may find too few replicas. Size exactly in ascending order of its counts.
  std::erase_if(batches, [&](std::int64_t m) { return need_[m] <= 0; });
  std::stable_sort(batches.begin(), batches.end(),
                   [&](std::int64_t a, std::int64_t b) { return need_[a] < need_[b]; });
  std::int64_t most = 0;
  for (const std::int64_t m : batches) {
    if (most > 0 && need_[m] >= most) break;
    const LineOutcome outcome = size_exactly(m);
    need_[m] = outcome.sized() ? outcome.num_replicas : -1;
    if (need_[m] > 0 && (most == 0 || need_[m] < most)) most = need_[m];
  }
  return most;
}

LineOutcome BatchSearch::pruned(const ServerRow& server, const PerfRow& perf,
                                const LineOutcome& at_ceiling, SweepCounts& counts) {
  if (!needs_search(server, perf)) return at_ceiling;
  bounded_ = true;
  prepare(server, perf);
  const std::optional<LineOutcome> outcome = by_sweeps(at_ceiling, counts);
  counts.sized += sized_;
  return outcome ? *outcome : by_bounds(at_ceiling, counts);
}

std::optional<LineOutcome> BatchSearch::by_sweeps(const LineOutcome& at_ceiling,
                                                  SweepCounts& counts) {
  const std::optional<std::int64_t> most = most_replicas(at_ceiling, counts);
  if (!most) return {};
  for (std::int64_t from = std::max<std::int64_t>(1, server_->min_replicas); from <= *most;) {
    meter_.check();
    if (!affords(0)) return {};
    // Start with the counts nearest to the minimum, because most servers need few replicas.
    const std::int64_t to = std::min(*most, from + kWindow - 1);
    replicas_.clear();
    for (std::int64_t r = from; r <= to; ++r) replicas_.push_back(r);
    std::fill(least_.begin(), least_.end(), 0);
    sweep(replicas_, counts);
    const bool any =
        std::any_of(least_.begin() + 1, least_.end(), [](std::int64_t l) { return l != 0; });
    if (any) {
      const std::optional<LineOutcome> outcome = settle(from, to);
      if (!outcome || outcome->reason != Reason::kNoCandidates) return outcome;
    }
    from = next_count(to, *most, counts);
  }
  return at_ceiling;
}

LineOutcome BatchSearch::by_bounds(const LineOutcome& at_ceiling, SweepCounts& counts) {
  const double total = server_->total_rate_per_ms;
  const std::int64_t fewest = std::max<std::int64_t>(1, server_->min_replicas);
  const auto replicas_at = [&](double goodput) {
    return replicas_needed(total, goodput, fewest);
  };
  GoodputSearch search(
      queue_shape(*server_, *perf_, line().sweep.max_batch), server_->targets,
      server_->has_tps_target, line().inv_mu,
      [&](std::int64_t batch) {
        ++counts.sized;
        return kernels_.size_one(queue_shape(*server_, *perf_, batch), server_->targets,
                                 server_->has_tps_target, line().inv_mu);
      },
      [&] { meter_.check(); });
  // Another batch size matters only if it needs fewer replicas.
  const GoodputSearch::Found best = search.best([&](double goodput) {
    const std::int64_t replicas = goodput > 0 ? replicas_at(goodput) : 0;
    if (replicas == 0) return total / static_cast<double>(kMaxReplicas);
    return replicas > fewest ? total / static_cast<double>(replicas - 1) : kInfinity;
  });
  const std::int64_t replicas = best.batch > 0 ? replicas_at(best.goodput_per_ms) : 0;
  if (replicas == 0) return at_ceiling;
  const GoodputSearch::Found first = search.first(total / static_cast<double>(replicas));
  // Rounding of the quotient may add a replica for a goodput that reaches it exactly.
  return size_exactly(first.batch > 0 ? first.batch : best.batch);
}

LineOutcome BatchSearch::exhaustive(const ServerRow& server, const PerfRow& perf,
                                    const LineOutcome& at_ceiling, const ReplicaRange& range,
                                    SweepCounts& counts) {
  if (!needs_search(server, perf)) return at_ceiling;
  bounded_ = false;
  prepare(server, perf);
  const std::int64_t least = std::max({std::int64_t{1}, server.min_replicas, range.first});
  const std::int64_t most = range.last > 0 ? range.last : *most_replicas(at_ceiling, counts);
  for (std::int64_t first = least; first <= most; first += kWindow) {
    replicas_.clear();
    for (std::int64_t r = first; r <= std::min(most, first + kWindow - 1); ++r) {
      replicas_.push_back(r);
    }
    sweep(replicas_, counts);
  }
  const LineOutcome outcome = *settle(least, most);
  counts.sized += sized_;
  return outcome.reason != Reason::kNoCandidates ? outcome : at_ceiling;
}

}  // namespace tonnage
