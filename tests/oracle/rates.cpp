// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the slow search for the largest rate under service-level targets.
#include <algorithm>
#include <cmath>

#include "oracle/oracle.hpp"

namespace tonnage::oracle {
namespace {

// How far a target is from holding, at a rate and with a chunk count: > 0 is a violation.
using Excess = std::function<long double(long double rate, std::int64_t chunks)>;

struct Point {
  long double rate = 0;
  long double excess = 0;
};

// The last rate that holds between one that does and a later one that does not.
long double bisect_violation(const Excess& excess, std::int64_t chunks, long double held,
                             long double violated) {
  for (int step = 0; step < 200; ++step) {
    const long double middle = held + (violated - held) / 2;
    if (middle <= held || middle >= violated) break;
    (excess(middle, chunks) > 0 ? violated : held) = middle;
  }
  return held;
}

// The top of a bump between two rates, by ternary search.
Point climb(const Excess& excess, std::int64_t chunks, long double left, long double right) {
  for (int step = 0; step < 100 && right - left > 1e-15L * right; ++step) {
    const long double third = (right - left) / 3;
    if (excess(left + third, chunks) < excess(right - third, chunks)) {
      left += third;
    } else {
      right -= third;
    }
  }
  const long double top = left + (right - left) / 2;
  return {top, excess(top, chunks)};
}

// Whether a bump over three scanned rates could rise above the target between them: a concave curve
// stays under the extension of its chords.
bool may_cross(const Point& a, const Point& b, const Point& c) {
  if (b.excess <= a.excess || b.excess < c.excess) return false;
  const long double before = b.rate - a.rate;
  const long double after = c.rate - b.rate;
  return b.excess + std::max((b.excess - c.excess) * before / after,
                             (b.excess - a.excess) * after / before) >
         0;
}

// Scans one piece of constant chunk count. True: everything held; else `rate` is where it stopped.
bool scan_piece(const Excess& excess, std::int64_t chunks, const std::vector<long double>& rates,
                long double* rate) {
  std::vector<Point> points;
  for (const long double next : rates) {
    points.push_back({next, excess(next, chunks)});
    const std::size_t count = points.size();
    if (count >= 3 && points[count - 2].excess <= 0 &&
        may_cross(points[count - 3], points[count - 2], points[count - 1])) {
      const long double before = points[count - 3].rate;
      const Point top = climb(excess, chunks, before, next);
      if (top.excess > 0) {
        *rate = bisect_violation(excess, chunks, before, top.rate);
        return false;
      }
    }
    if (points.back().excess > 0) {
      *rate = count == 1 ? next : bisect_violation(excess, chunks, points[count - 2].rate, next);
      return false;
    }
  }
  *rate = rates.back();
  return true;
}

std::vector<long double> scan_grid(long double low, long double high, int points) {
  const int half = std::max(2, points / 2);
  std::vector<long double> grid;
  for (int i = 0; i <= half; ++i) {
    const long double share = static_cast<long double>(i) / half;
    grid.push_back(low + share * (high - low));
    grid.push_back(low * std::pow(high / low, share));
  }
  for (long double& rate : grid) rate = std::clamp(rate, low, high);
  std::sort(grid.begin(), grid.end());
  grid.erase(std::unique(grid.begin(), grid.end()), grid.end());
  return grid;
}

// The last rate before the mean batch, which rises with the rate, reaches `in_service`.
long double rate_of_mean_batch(const Chain& chain, long double in_service, long double low,
                               long double high) {
  for (int step = 0; step < 200; ++step) {
    const long double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (chain.evaluate(middle).in_service < in_service ? low : high) = middle;
  }
  return low;
}

long double scan_range(const Chain& chain, const Excess& excess, long double low, long double high,
                       int points) {
  const std::vector<long double> grid = scan_grid(low, high, points);
  const long double lowest_batch = chain.evaluate(low).in_service;
  const long double highest_batch = chain.evaluate(high).in_service;
  const std::int64_t max_batch = chain.params().max_batch;
  if (excess(low, chain.chunks_at(lowest_batch)) > 0) return 0;
  long double start = low;
  std::int64_t chunks = chain.chunks_at(lowest_batch);
  std::size_t next = 0;
  for (std::int64_t batch = 1; batch <= max_batch; ++batch) {
    // A piece ends where the mean batch, rounded, starts to ask for another chunk count.
    const long double corner = static_cast<long double>(batch) + 0.5L;
    const bool last = batch == max_batch || corner > highest_batch;
    if (!last) {
      const std::int64_t after = chain.chunks_at(corner);
      if (corner <= lowest_batch || after == chunks) continue;
    }
    const long double end = last ? high : rate_of_mean_batch(chain, corner, start, high);
    std::vector<long double> rates{start};
    while (next < grid.size() && grid[next] < end) {
      if (grid[next] > start) rates.push_back(grid[next]);
      ++next;
    }
    if (end > start) {
      rates.push_back(end);
      if (rates.size() == 2) rates.insert(rates.begin() + 1, start + (end - start) / 2);
    }
    long double stopped = 0;
    if (!scan_piece(excess, chunks, rates, &stopped) || last) return stopped;
    start = end;
    chunks = chain.chunks_at(corner);
  }
  return high;
}

}  // namespace

RateResult largest_rate(const Chain& chain, const Targets& targets, const SearchOptions& options) {
  RateResult result;
  result.low = chain.lowest_rate();
  result.high = chain.highest_rate();
  if (!(result.low <= result.high)) return result;
  const long double slack = 1 + options.tolerance;
  const Excess itl_excess = [&](long double rate, std::int64_t chunks) {
    return chain.evaluate(rate, chunks).itl / (targets.itl_ms * slack) - 1;
  };
  const Excess ttft_excess = [&](long double rate, std::int64_t chunks) {
    const Metrics at = chain.evaluate(rate, chunks);
    if (targets.ttft_percentile <= 0) return at.ttft / (targets.ttft_ms * slack) - 1;
    const long double left = targets.ttft_ms * slack - at.prefill - at.itl;
    return chain.wait_survival(rate, left) -
           (1 - static_cast<long double>(targets.ttft_percentile));
  };
  const Excess e2e_excess = [&](long double rate, std::int64_t chunks) {
    const Metrics at = chain.evaluate(rate, chunks);
    return (at.wait + at.serv) / (targets.e2e_ms * slack) - 1;
  };
  const Excess drop_excess = [&](long double rate, std::int64_t chunks) {
    return chain.evaluate(rate, chunks).drop_probability / (targets.drop * slack) - 1;
  };
  result.rate_itl = result.rate_ttft = result.rate_tps = result.high;
  result.rate_e2e = result.rate_drop = result.high;
  const int points = options.scan_points;
  if (targets.itl_ms > 0) {
    result.rate_itl = scan_range(chain, itl_excess, result.low, result.high, points);
  }
  if (targets.ttft_ms > 0) {
    result.rate_ttft = scan_range(chain, ttft_excess, result.low, result.high, points);
  }
  if (targets.e2e_ms > 0) {
    result.rate_e2e = scan_range(chain, e2e_excess, result.low, result.high, points);
  }
  if (targets.drop > 0) {
    result.rate_drop = scan_range(chain, drop_excess, result.low, result.high, points);
  }
  if (targets.tps > 0) result.rate_tps = 0.9L * result.high;
  result.rate = std::min({result.rate_itl, result.rate_ttft, result.rate_tps, result.rate_e2e,
                          result.rate_drop});
  if (result.rate <= 0) return result;
  result.feasible = true;
  result.metrics = chain.evaluate(result.rate);
  result.goodput = result.metrics.throughput;
  return result;
}

RateResult largest_rate(const QueueParams& params, const Targets& targets,
                        const SearchOptions& options) {
  return largest_rate(Chain(params), targets, options);
}

std::int64_t least_concurrency(const QueueParams& params, const Targets& targets,
                               const SearchOptions& options) {
  std::vector<long double> goodput;
  for (std::int64_t batch = 1; batch <= params.max_batch; ++batch) {
    QueueParams limited = params;
    limited.max_batch = batch;
    goodput.push_back(largest_rate(limited, targets, options).goodput);
  }
  const long double peak = *std::max_element(goodput.begin(), goodput.end());
  if (peak <= 0) return 0;
  const auto first = std::find_if(goodput.begin(), goodput.end(),
                                  [&](long double value) { return value >= 0.98L * peak; });
  return first - goodput.begin() + 1;
}

}  // namespace tonnage::oracle
