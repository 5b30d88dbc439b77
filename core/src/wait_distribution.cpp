#include "tonnage/core/wait_distribution.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tonnage {
namespace {

// log(n!) minus Stirling's leading terms: the correction of the saddle-point form of the Poisson
// probability. Series for n > 15, where its error is below 1e-16.
double stirling_correction(double n) {
  const double r = 1.0 / (n * n);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / n;
}

// n log(n/y) + y - n without cancellation near n = y.
double poisson_deviance(double n, double y) {
  const double d = n - y;
  const double v = d / (n + y);
  if (std::fabs(v) >= 0.1) return n * std::log(n / y) - d;
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

double poisson_probability(std::int64_t n, double y) {
  if (n <= 15) {
    double p = std::exp(-y);
    for (std::int64_t i = 1; i <= n; ++i) p *= y / static_cast<double>(i);
    if (p > 0 || n == 0) return p;
  }
  const double x = static_cast<double>(n);
  const double correction =
      n > 15 ? stirling_correction(x)
             : std::log(std::tgamma(x + 1)) - (x + 0.5) * std::log(x) + x - 0.91893853320467274178;
  return std::exp(-correction - poisson_deviance(x, y)) / std::sqrt(6.28318530717958647692 * x);
}

// Sum of p^0 .. p^(count-1) for 0 < p <= 1, given log(p).
double geometric_sum(double p, double log_p, double count) {
  return p == 1 ? count : std::expm1(count * log_p) / (p - 1);
}

}  // namespace

WaitTail wait_tail(const QueueMetrics& m, std::int64_t max_queue, double t_ms) {
  if (max_queue <= 0 || !(m.wait_weight > 0)) return {0, 0};
  const double y = m.full_rate_per_ms * t_ms;
  const double places = static_cast<double>(max_queue);
  const double p = std::max(m.wait_ratio, 1e-300);
  const double log_p = p == 1 ? 0.0 : std::log1p(p - 1);

  // Peak of Poisson(i; y) * W_i: near y min(q, 1), within the waiting places.
  const double peak = std::min(m.wait_reversed ? y : y * p, places - 1);
  double reach = std::ceil(peak + 9 * std::sqrt(peak) + 40);
  // Places so unlikely that p^i would underflow hold nothing worth summing.
  if (!m.wait_reversed && p < 1) reach = std::min(reach, std::floor(-690 / log_p));
  const std::int64_t top = std::min(max_queue - 1, static_cast<std::int64_t>(reach));
  const double i_top = static_cast<double>(top);

  // State weight w_i at the top of the window and the tail sum W_i from there on.
  double state, step;
  if (m.wait_reversed) {
    state = m.wait_weight * std::exp((places - i_top) * log_p);
    step = p;
  } else {
    state = m.wait_weight * std::exp(i_top * log_p);
    step = 1.0 / p;
  }
  const double remaining = places - i_top;
  double tail = m.wait_reversed ? m.wait_weight * p * geometric_sum(p, log_p, remaining)
                                : state * geometric_sum(p, log_p, remaining);
  if (y == 0) {
    // Everybody who finds the servers full waits.
    const double all = m.wait_reversed ? m.wait_weight * p * geometric_sum(p, log_p, places)
                                       : m.wait_weight * geometric_sum(p, log_p, places);
    const double first = m.wait_reversed ? m.wait_weight * std::exp(places * log_p) : m.wait_weight;
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

double wait_quantile(const QueueMetrics& m, std::int64_t max_queue, double probability) {
  const double target = 1 - probability;
  const WaitTail at_zero = wait_tail(m, max_queue, 0);
  if (at_zero.survival <= target) return 0;
  // Newton on the logarithm of the tail, which is concave: after at most one step past the answer
  // the iterates approach it from above. The bracket guards against rounding only.
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  double t = -std::log(target / at_zero.survival) * at_zero.survival /
             std::max(at_zero.density, std::numeric_limits<double>::min());
  const double longest =
      (static_cast<double>(max_queue) + 12 * std::sqrt(static_cast<double>(max_queue)) + 60) /
      m.full_rate_per_ms;
  t = std::min(t, longest);
  for (int pass = 0; pass < 100; ++pass) {
    const WaitTail at = wait_tail(m, max_queue, t);
    if (at.survival > target) {
      low = t;
    } else {
      high = t;
    }
    double next = t + std::log(at.survival / target) * at.survival / at.density;
    if (!(next > low && next < high)) {
      next = std::isinf(high) ? std::max(2 * t, 1e-3 / m.full_rate_per_ms) : 0.5 * (low + high);
    }
    if (std::fabs(next - t) <= 1e-12 * next) return next;
    t = next;
  }
  return t;
}

}  // namespace tonnage
