// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernels of the waiting-time distribution, for host and device code (docs/model.md). Owns:
// the sums over waiting places and the search for a quantile. Uses no C library function whose
// rounding differs between platforms, so backends agree bit for bit.
#pragma once

#include <cstdint>

#include "tonnage/core/elementary.hpp"
#include "tonnage/core/queueing.hpp"

namespace tonnage {

// P(wait > t) and the density of the wait at t (per ms).
struct WaitTail {
  double survival;
  double density;
};

// log(n!) minus Stirling's leading terms: the correction of the saddle-point form of the Poisson
// probability (C. Loader, "Fast and accurate computation of binomial probabilities", 2000). Series
// for n > 15, where its error is below 1e-16.
TONNAGE_HD double stirling_correction(double n) {
  const double r = 1.0 / (n * n);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / n;
}

// n log(n/y) + y - n without cancellation near n = y.
TONNAGE_HD double poisson_deviance(double n, double y) {
  const double d = n - y;
  const double v = d / (n + y);
  if (lane_abs(v) >= 0.1) return n * portable_log(n / y) - d;
  // log(n/y) = 2 artanh(v), with d = v (n + y) taken off its leading terms.
  double power = 2 * n * v;
  const double v2 = v * v;
  double sum = d * v;
  for (int i = 1; i < 60; ++i) {
    power *= v2;
    const double next = sum + power / (2 * i + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

TONNAGE_HD double poisson_probability(std::int64_t n, double y) {
  if (n <= 15) {
    // e^-y in two halves: it may be too small for a double where the probability is not.
    const double half = portable_exp(-0.5 * y);
    double p = half;
    for (std::int64_t i = 1; i <= n; ++i) p *= y / static_cast<double>(i);
    return p * half;
  }
  const double x = static_cast<double>(n);
  return portable_exp(-stirling_correction(x) - poisson_deviance(x, y)) /
         std::sqrt(6.28318530717958647692 * x);
}

// Sum of p^0 .. p^(count-1) for 0 < p <= 1, given log(p).
TONNAGE_HD double geometric_sum(double p, double log_p, double count) {
  return p == 1 ? count : portable_expm1(count * log_p) / (p - 1);
}

// See wait_tail().
TONNAGE_HD WaitTail compute_wait_tail(const QueueMetrics& m, std::int64_t max_queue, double t_ms) {
  if (max_queue <= 0 || !(m.wait_weight > 0)) return {0, 0};
  const double y = m.full_rate_per_ms * t_ms;
  const double places = static_cast<double>(max_queue);
  const double p = lane_max(m.wait_ratio, 1e-300);
  const double log_p = p == 1 ? 0.0 : portable_log(p);

  // Peak of Poisson(i; y) * W_i: near y min(q, 1), within the waiting places.
  const double peak = lane_min(m.wait_reversed ? y : y * p, places - 1);
  double reach = std::ceil(peak + 9 * std::sqrt(peak) + 40);
  // Places so unlikely that p^i would underflow hold nothing worth summing.
  if (!m.wait_reversed && p < 1) reach = lane_min(reach, std::floor(-690 / log_p));
  const double i_top = lane_min(places - 1, reach);
  const auto top = static_cast<std::int64_t>(i_top);

  // State weight w_i at the top of the window and the tail sum W_i from there on.
  double state, step;
  if (m.wait_reversed) {
    state = m.wait_weight * portable_exp((places - i_top) * log_p);
    step = p;
  } else {
    state = m.wait_weight * portable_exp(i_top * log_p);
    step = 1.0 / p;
  }
  const double remaining = places - i_top;
  double tail = m.wait_reversed ? m.wait_weight * p * geometric_sum(p, log_p, remaining)
                                : state * geometric_sum(p, log_p, remaining);
  if (y == 0) {
    // Every request that finds a full batch waits.
    const double all = m.wait_reversed ? m.wait_weight * p * geometric_sum(p, log_p, places)
                                       : m.wait_weight * geometric_sum(p, log_p, places);
    const double first =
        m.wait_reversed ? m.wait_weight * portable_exp(places * log_p) : m.wait_weight;
    return {all, m.full_rate_per_ms * first};
  }
  double probability = poisson_probability(top, y);
  const double inv_y = 1.0 / y;
  WaitTail r{0, 0};
  for (std::int64_t i = top;; --i) {
    const double term = probability * tail;
    r.survival += term;
    r.density += probability * state;
    if (i == 0 || (static_cast<double>(i) < peak && term < r.survival * 1e-18)) break;
    probability *= static_cast<double>(i) * inv_y;
    state *= step;
    tail += state;
  }
  r.density *= m.full_rate_per_ms;
  return r;
}

// See wait_quantile(). tail(t) is wait_tail() of the same queue at t. It is called at one place
// only, so that a caller may keep it out of line.
template <class Tail>
TONNAGE_HD double search_wait_quantile(const Tail& tail, double full_rate_per_ms,
                                       std::int64_t max_queue, double probability) {
  const double target = 1 - probability;
  // Newton on the logarithm of the tail, which is concave: after at most one step past the answer
  // the iterates approach it from above. The bracket guards against rounding only.
  const double places = static_cast<double>(max_queue);
  const double longest = (places + 12 * std::sqrt(places) + 60) / full_rate_per_ms;
  double low = 0, high = kInfinity, t = 0;
  for (int pass = 0; pass <= 100; ++pass) {
    const WaitTail at = tail(t);
    if (pass == 0) {
      if (at.survival <= target) return 0;
      const double slope = lane_max(at.density, kLeastNormal);
      t = lane_min(-portable_log(target / at.survival) * at.survival / slope, longest);
      continue;
    }
    if (at.survival > target) {
      low = t;
    } else {
      high = t;
    }
    double next = t + portable_log(at.survival / target) * at.survival / at.density;
    if (!(next > low && next < high)) {
      next = high < kInfinity ? 0.5 * (low + high) : lane_max(2 * t, 1e-3 / full_rate_per_ms);
    }
    if (lane_abs(next - t) <= 1e-12 * next) return next;
    t = next;
  }
  return t;
}

// The fields of QueueMetrics that percentiles of the wait need, from the columns of a table:
// QueueMetrics::wait_weight, the load rate/mu(M), and 1/mu(M).
TONNAGE_HD QueueMetrics metrics_of_wait(double wait_weight, double load, double inv_mu) {
  QueueMetrics m{};
  m.wait_weight = wait_weight;
  m.wait_reversed = load > 1;
  m.wait_ratio = m.wait_reversed ? 1.0 / load : load;
  m.full_rate_per_ms = 1.0 / inv_mu;
  return m;
}

}  // namespace tonnage
