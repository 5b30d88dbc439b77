// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Bounds on the goodput of every batch size of a line, and the two searches that use these bounds.
#include "tonnage/core/goodput_search.hpp"

#include <algorithm>
#include <utility>

#include "tonnage/core/percentile_sizing.hpp"

namespace tonnage {
namespace {

// A target missed by more than this relative margin is missed by every rate search.
constexpr double kClearMiss = 2e-9;
// Safety factor for rounding in a bound.
constexpr double kRounding = 1 + 1e-10;
// Factor from a rate that was found to the next rate of interest above it.
constexpr double kJustAbove = 1 + 1e-9;

}  // namespace

GoodputSearch::GoodputSearch(const QueueShape& line, const LatencyTargets& targets,
                             bool has_tps_target, const double* inv_mu, SizeBatch size,
                             std::function<void()> check)
    : line_(line),
      targets_(targets),
      evaluate_{{line, inverse_targets(targets), 0.0}, {1.0, 0.0, inv_mu}},
      share_(has_tps_target ? kTpsShare : 1.0),
      inv_mu_(inv_mu),
      size_(std::move(size)),
      check_(std::move(check)),
      upper_(static_cast<std::size_t>(line.max_batch) + 1, 0.0) {
  for (std::int64_t m = 1; m <= line_.max_batch; ++m) {
    upper_[m] = top(m);
  }
  drop_infeasible(kRateLow / inv_mu_[1]);
}

// Uses the same operations as the rate searches at the low end of the range, so that both agree on
// which batch sizes are infeasible.
void GoodputSearch::drop_infeasible(double low) {
  ++passes_;
  const double chunks = chunk_count(line_.service, 1.0);
  const SizingLanes<double> plain = sizing_lanes(line_, targets_, {low, low}, chunks);
  const double rate_slope = low * plain.inv_mu_slope_ms, rate_base = low * plain.inv_mu_base_ms;
  const double big_n = static_cast<double>(line_.max_batch);
  const double big_q = static_cast<double>(line_.max_queue);
  const double uniform_until = max_batch_at_chunks(line_.service, chunks);
  ChainSums<double> uniform{1.0, 1.0, 0.0}, any{1.0, 1.0, 0.0};
  PercentileEvaluator percentile{evaluate_, targets_.ttft_ms, 1 - targets_.ttft_percentile / 100};
  const auto step = [](ChainSums<double>& c, double q, double n) {
    c.weight *= q;
    c.sum += c.weight;
    c.moment = lane_fma(n, c.weight, c.moment);
  };
  double q_uniform = 0, q = 0;
  for (std::int64_t m = 1; m <= line_.max_batch; ++m) {
    const double n = static_cast<double>(m);
    q_uniform = lane_fma(rate_slope, 1.0 / n, rate_base);
    q = low * inv_mu_[m];
    step(uniform, q_uniform, n);
    step(any, q, n);
    const bool in_range = low <= upper_[m];
    QueueShape shape = line_;
    shape.max_batch = m;
    double excess = kClearMiss;
    if (in_range && targets_.binds_percentile()) {
      percentile.shape.max_batch = m;
      excess = percentile.at(close_chain(any, low, q, n, big_q)).excess;
    } else if (in_range && n <= uniform_until && is_plain_pair(shape, chunks, chunks)) {
      const double inv_mu = lane_fma(plain.inv_mu_slope_ms, 1.0 / n, plain.inv_mu_base_ms);
      excess = compare_with_targets(close_chain(uniform, low, low * inv_mu, n, big_q),
                                    plain.alpha_ms, plain.delta_ms, plain.chunks,
                                    plain.prefill_work_ms, plain.out_tokens, plain.inv_target)
                   .excess;
    } else if (in_range) {
      evaluate_.shape.max_batch = m;
      excess = evaluate_.at(close_chain(any, low, q, n, big_q)).excess;
    }
    if (!(excess <= kTargetTolerance)) upper_[m] = 0;
    if (m % kChainBlock == 0) {
      (void)chain_block_end(uniform, q_uniform, m, big_n);
      (void)chain_block_end(any, q, m, big_n);
    }
  }
}

bool GoodputSearch::misses(const RatePoint<double>& point, std::int64_t batch) {
  evaluate_.shape.max_batch = batch;
  if (evaluate_.at(point).excess > kClearMiss) return true;
  if (!targets_.binds_percentile()) return false;
  const PercentileEvaluator percentile{evaluate_, targets_.ttft_ms,
                                       1 - targets_.ttft_percentile / 100};
  // If almost no request waits, the percentile needs no sum over the waiting room.
  const double waits = point.wait_weight * std::min(static_cast<double>(line_.max_queue),
                                                    1 / std::max(1 - point.load, 1e-300));
  if (waits < percentile.allowed) {
    const double prefill =
        prefill_within_service(percentile.prefill_ms(point.in_service), point.service_ms);
    const double fixed = prefill + (point.service_ms - prefill) / line_.service.out_tokens;
    return fixed > targets_.ttft_ms * (1 + kClearMiss);
  }
  return percentile.at(point).excess > kClearMiss;
}

double GoodputSearch::bound_at(std::int64_t batch, const ChainSums<double>& chain, double rate) {
  const double load = rate * inv_mu_[batch];
  const double top = this->top(batch);
  if (line_.max_queue == 0 && rate > top) return rate * (1 - chain.weight / chain.sum) * kRounding;
  if (!(load < 1)) return top;
  const RatePoint<double> point = close_chain(chain, rate, load, static_cast<double>(batch),
                                              static_cast<double>(line_.max_queue));
  if (rate > top || misses(point, batch)) return point.throughput_per_ms * kRounding;
  return top * (1 - point.drop_probability) * kRounding;
}

void GoodputSearch::pass(double rate, double wanted, std::int64_t last) {
  if (!(rate > 0)) return;
  if (check_) check_();
  ++passes_;
  ChainSums<double> c{1.0, 1.0, 0.0};
  const double big_n = static_cast<double>(line_.max_batch);
  std::int64_t m = 1;
  while (m <= last) {
    const std::int64_t stop = std::min(m + kChainBlock - 1, last);
    double q = 0;
    for (; m <= stop; ++m) {
      q = rate * inv_mu_[m];
      c.weight *= q;
      c.sum += c.weight;
      c.moment = lane_fma(static_cast<double>(m), c.weight, c.moment);
      if (upper_[m] >= wanted) upper_[m] = std::min(upper_[m], bound_at(m, c, rate));
    }
    if (!chain_block_end(c, q, stop, big_n)) break;
  }
  bound_unfilled(m, c, rate, last);
}

// Batch sizes from `from` on never fill at this rate, so they all have the averages of `from`.
void GoodputSearch::bound_unfilled(std::int64_t from, const ChainSums<double>& chain, double rate,
                                std::int64_t last) {
  std::int64_t in_range = from;
  while (in_range <= last && rate > top(in_range)) ++in_range;
  if (in_range > last) return;
  const RatePoint<double> point =
      close_chain(chain, rate, rate * inv_mu_[in_range], static_cast<double>(in_range),
                  static_cast<double>(line_.max_queue));
  if (!misses(point, in_range)) return;
  // Any of the sized batch sizes shows at which rate the targets begin to be missed.
  double most = rate;
  for (auto known = sized_.lower_bound(from); known != sized_.end(); ++known) {
    const Found& found = known->second;
    if (found.batch > 0 && found.rate_per_ms < top(found.batch) && found.rate_per_ms < rate) {
      most = std::min(most, found.goodput_per_ms);
    }
  }
  for (std::int64_t m = from; m <= last; ++m) upper_[m] = std::min(upper_[m], most * kRounding);
}

GoodputSearch::Found GoodputSearch::size(std::int64_t batch) {
  const auto known = sized_.find(batch);
  if (known != sized_.end()) return known->second;
  Found found;
  if (upper_[batch] > 0) {
    if (check_) check_();
    const RateSearch<double> search = size_(batch);
    if (search.feasible) found = {batch, search.throughput_per_ms, search.rate_per_ms};
  }
  upper_[batch] = 0;
  return sized_[batch] = found;
}

std::int64_t GoodputSearch::widest(double wanted) const {
  const auto at = std::max_element(upper_.begin() + 1, upper_.end());
  return *at >= wanted && *at > 0 ? at - upper_.begin() : 0;
}

std::int64_t GoodputSearch::middle(double wanted, std::int64_t last) const {
  std::vector<std::int64_t> open;
  for (std::int64_t m = 1; m <= last; ++m) {
    if (upper_[m] >= wanted) open.push_back(m);
  }
  return open.empty() ? 0 : open[open.size() / 2];
}

GoodputSearch::Found GoodputSearch::best(const std::function<double(double)>& worthwhile) {
  Found best;
  // Whether a batch size has more goodput than all sized before.
  const auto improves = [&](const Found& found) {
    const bool more = found.goodput_per_ms > best.goodput_per_ms ||
                      (found.batch > 0 && found.goodput_per_ms == best.goodput_per_ms &&
                       found.batch < best.batch);
    if (more) best = found;
    return more;
  };
  for (std::int64_t m = line_.max_batch; m >= 1; m /= 2) (void)improves(size(m));
  double wanted = 0;
  const auto look_again = [&] {
    wanted = std::max(best.goodput_per_ms * (1 + kTie), worthwhile(best.goodput_per_ms));
    pass(best.rate_per_ms * kJustAbove, wanted, line_.max_batch);
  };
  look_again();
  for (std::int64_t m = widest(wanted); m > 0; m = widest(wanted)) {
    // Halves the possible gain: from above by another pass, or from below by sizing the batch size
    // that has it.
    pass(0.5 * (wanted + upper_[m]), wanted, line_.max_batch);
    m = widest(wanted);
    if (m == 0) break;
    const Found found = size(m);
    if (improves(found)) {
      look_again();
    } else {
      pass(found.rate_per_ms * kJustAbove, wanted, line_.max_batch);
    }
  }
  return best;
}

GoodputSearch::Found GoodputSearch::first(double goodput_per_ms) {
  Found first;
  std::int64_t last = line_.max_batch;
  for (const auto& [batch, found] : sized_) {
    if (found.goodput_per_ms < goodput_per_ms) continue;
    first = found;
    last = batch - 1;
    break;
  }
  const double wanted = goodput_per_ms / kJustAbove;
  pass(goodput_per_ms, wanted, last);
  for (std::int64_t m = middle(wanted, last); m > 0; m = middle(wanted, last)) {
    const Found found = size(m);
    if (found.goodput_per_ms >= goodput_per_ms) {
      first = found;
      last = m - 1;
    } else {
      pass(found.rate_per_ms * kJustAbove, wanted, last);
    }
  }
  return first;
}

}  // namespace tonnage
