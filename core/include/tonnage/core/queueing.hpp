// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// One replica as a queue: service times, the birth-death chain and its averages (docs/model.md).
// Owns: the formulas of service (chunked prefill, tau, mu) and the metrics at one arrival rate > 0,
// overload included. Host and device code; times in ms, rates in requests/ms.
#pragma once

#include <cstdint>

#include "tonnage/core/elementary.hpp"
#include "tonnage/core/lanes.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// Parameters of the service time of a request in one replica. Token counts are whole numbers held
// as doubles.
struct ServiceParams {
  double alpha_ms;  // iteration time = alpha + beta * tokens computed + gamma * tokens read
  double beta_ms;
  double gamma_ms;
  double in_tokens;     // k, >= 0
  double out_tokens;    // m, >= 1
  double token_budget;  // T, >= 1: tokens computed per iteration at most
};

// Whether departure rates are within the range of a double: some parameter is kLeastParameterMs or
// more.
TONNAGE_HD bool has_service_time(double alpha_ms, double beta_ms, double gamma_ms) {
  return lane_max(alpha_ms, lane_max(beta_ms, gamma_ms)) >= kLeastParameterMs;
}

// Service at one chunk count c: 1/mu(n) = slope/n + base for every batch n whose prefill takes c
// chunks.
struct ServiceSegment {
  double chunks;           // c
  double delta_ms;         // iteration time added by one more request in the batch
  double inv_mu_slope_ms;  // (c + m) * alpha
  double inv_mu_base_ms;   // (c + m) * delta
  double prefill_work_ms;  // w_prefill(c)
};

// Largest batch whose prefill fits into c chunks: floor(max(0, (c+m)(T - k/c)/(k+m))). One division
// of whole numbers, so that bounds which are whole come out exactly (products below 2^53).
TONNAGE_HD double max_batch_at_chunks(const ServiceParams& p, double c) {
  const double room = (c + p.out_tokens) * (p.token_budget * c - p.in_tokens);
  return room > 0 ? std::floor(room / ((p.in_tokens + p.out_tokens) * c)) : 0.0;
}

// c(B): the least chunk count whose batch bound reaches B. The bound grows with c, so the positive
// root of T c^2 + (mT - k - B(k+m)) c - mk = 0 is within rounding of the answer.
TONNAGE_HD double chunk_count(const ServiceParams& p, double batch) {
  if (max_batch_at_chunks(p, 1.0) >= batch) return 1.0;
  const double t = p.token_budget;
  const double half_b =
      0.5 * (p.in_tokens + batch * (p.in_tokens + p.out_tokens) - p.out_tokens * t);
  const double mk = p.out_tokens * p.in_tokens;
  const double root = std::sqrt(half_b * half_b + t * mk);
  // Of the two equal forms of the positive root use the one without cancellation.
  const double c_real = half_b >= 0 ? (half_b + root) / t : mk / (root - half_b);
  double c = std::floor(c_real);
  if (c < 1) c = 1;
  // Rounding of the root moves c by at most a few ulps; walk to the exact boundary. Beyond 2^53
  // neighbouring integers coincide and the root is as good as it gets.
  for (int step = 0; step < 64 && c > 1 && max_batch_at_chunks(p, c - 1) >= batch; ++step) c -= 1;
  for (int step = 0; step < 64 && max_batch_at_chunks(p, c) < batch; ++step) c += 1;
  return c;
}

TONNAGE_HD ServiceSegment service_segment(const ServiceParams& p, double c) {
  const double k = p.in_tokens;
  const double m = p.out_tokens;
  const double prefill_work = (p.beta_ms + p.gamma_ms * (c + 1) * 0.5) * k;
  const double decode_work = p.beta_ms * m + p.gamma_ms * m * (k + (m + 1) * 0.5);
  const double delta = (prefill_work + decode_work) / (c + m);
  return {c, delta, (c + m) * p.alpha_ms, (c + m) * delta, prefill_work};
}

// 1/mu(n) from 1/n. Written with fma so that every backend gets the same bits.
TONNAGE_HD double inverse_mu(const ServiceSegment& s, double reciprocal_n) {
  return lane_fma(s.inv_mu_slope_ms, reciprocal_n, s.inv_mu_base_ms);
}

// Service at batch sizes in ascending order; recomputes the chunk count only where it grows.
struct SegmentWalk {
  ServiceParams service;
  ServiceSegment segment{};
  double segment_end = 0;  // the largest batch of the segment

  TONNAGE_HD const ServiceSegment& at(double batch) {
    if (batch > segment_end) {
      // Mostly one or two more chunks are enough.
      double chunks = segment.chunks;
      for (int more = 0; more < 3 && chunks > 0 && segment_end < batch; ++more) {
        chunks += 1;
        segment_end = max_batch_at_chunks(service, chunks);
      }
      if (segment_end < batch) {
        chunks = chunk_count(service, batch);
        segment_end = max_batch_at_chunks(service, chunks);
      }
      segment = service_segment(service, chunks);
    }
    return segment;
  }
};

// Fills inv_mu[n] = 1/mu(n) for n = 1 .. max_batch; entry 0 is not written.
TONNAGE_HD void fill_inverse_mu(const ServiceParams& p, std::int64_t max_batch, double* inv_mu) {
  SegmentWalk walk{p};
  for (std::int64_t n = 1; n <= max_batch; ++n) {
    const auto batch = static_cast<double>(n);
    inv_mu[n] = inverse_mu(walk.at(batch), 1.0 / batch);
  }
}

// mu(B) = B/tau(B): departure rate with B requests in service, requests/ms.
TONNAGE_HD double departure_rate(const ServiceParams& p, double batch) {
  return 1.0 / inverse_mu(service_segment(p, chunk_count(p, batch)), 1.0 / batch);
}

// Mean time in prefill with x requests in service.
template <class V>
TONNAGE_HD V prefill_time(const V& alpha_ms, const V& delta_ms, const V& chunks,
                          const V& prefill_work_ms, const V& x) {
  return chunks * lane_max(V(0.0), alpha_ms + (x - V(1.0)) * delta_ms) + prefill_work_ms;
}

// Clamps prefill to the time in service. The two means may disagree, because prefill is computed at
// the rounded mean occupancy: in overload with growing chunk counts it may exceed the mean time in
// service. ITL is then 0, and wait + prefill + m * ITL stays the response time. With one chunk
// count 1/mu is linear in 1/n and prefill never exceeds it.
template <class V>
TONNAGE_HD V prefill_within_service(const V& prefill_ms, const V& service_ms) {
  return lane_min(prefill_ms, service_ms);
}

// Latencies of a batch held at B requests; used by closed-form bounds only.
TONNAGE_HD double state_prefill_ms(const ServiceParams& p, double batch) {
  const ServiceSegment s = service_segment(p, chunk_count(p, batch));
  return prefill_time(p.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms, batch);
}
TONNAGE_HD double state_itl_ms(const ServiceParams& p, double batch) {
  const ServiceSegment s = service_segment(p, chunk_count(p, batch));
  return lane_max(0.0, p.alpha_ms + (batch - 1) * s.delta_ms) + p.beta_ms +
         p.gamma_ms * (p.in_tokens + (p.out_tokens + 1) * 0.5);
}

// Averages of one replica at one arrival rate.
struct QueueMetrics {
  double throughput_per_ms;  // accepted arrivals
  double in_service;         // X, mean requests in service
  double in_system;          // S, mean requests in the replica
  double service_ms;
  double wait_ms;
  double prefill_ms;
  double itl_ms;
  double ttft_ms;
  double utilization;  // rho = X/M
  double drop_probability;
  // Probability that an accepted arrival finds M+j requests, 0 <= j < Q:
  // wait_weight * wait_ratio^j, or wait_weight * wait_ratio^(Q-j) when wait_reversed, which keeps
  // both factors at most 1 under overload.
  double wait_weight;
  double wait_ratio;
  bool wait_reversed;
  double full_rate_per_ms;  // mu(M)
};

// Sums over 0 <= i < count of p^i and i*p^i for 0 <= p <= 1, and p^count, by repeated doubling. All
// terms are positive, so the sums are accurate for every p.
struct GeometricSums {
  double sum;
  double weighted;
  double power;
};
TONNAGE_HD GeometricSums geometric_sums(double p, std::int64_t count) {
  GeometricSums s{0.0, 0.0, 1.0};
  double n = 0;
  for (int bit = 62; bit >= 0; --bit) {
    if (n > 0) {
      s.weighted += s.power * (s.weighted + n * s.sum);
      s.sum += s.power * s.sum;
      s.power *= s.power;
      n += n;
    }
    if ((count >> bit) & 1) {
      s.weighted += n * s.power;
      s.sum += s.power;
      s.power *= p;
      n += 1;
    }
  }
  return s;
}

// Metrics at `rate` requests/ms (> 0), batch size M >= 1, at most Q >= 0 waiting; O(M + log Q).
// Relative accuracy about 1e-14 at any rate. a(n), the probability of state n of the chain cut at
// n, follows the recursion of Erlang's B formula (A. K. Erlang, 1917), here with service that
// depends on the state (docs/model.md); L(n) is the mean state.
TONNAGE_HD QueueMetrics evaluate_queue(const ServiceParams& p, std::int64_t max_batch,
                                       std::int64_t max_queue, double rate) {
  // The true a is a * 2^(kShift * shift): where service slows down with the batch, a may fall far
  // below what a double holds and come back in an overloaded waiting room.
  constexpr double kShift = 512;
  double a = 1, not_a = 0, mean = 0, shift = 0, inv_mu = 0;
  SegmentWalk walk{p};
  for (std::int64_t i = 1; i <= max_batch; ++i) {
    const double n = static_cast<double>(i);
    inv_mu = inverse_mu(walk.at(n), 1.0 / n);
    const double x = rate * inv_mu * a;
    if (shift == 0) {
      not_a = 1.0 / (1.0 + x);
      a = x * not_a;
      mean += a * (n - mean);
    } else {
      a = x;  // 1 + x is 1
    }
    if (a < 0x1p-512) {
      a *= 0x1p512;
      shift -= 1;
    } else if (shift < 0 && a >= 1) {
      a *= 0x1p-512;
      shift += 1;
    }
  }
  const double big_m = static_cast<double>(max_batch);
  const double q = rate * inv_mu;

  // T0, T1 and the sums Z, D of the waiting room, all scaled by min(1, 1/q)^Q.
  const bool reversed = q > 1;
  const double ratio = reversed ? 1.0 / q : q;
  double scale = 1, t0 = 0, t1 = 0, z = 1, d = not_a, dropped = shift < 0 ? 0.0 : a;
  if (max_queue > 0) {
    const double big_q = static_cast<double>(max_queue);
    const GeometricSums head = geometric_sums(ratio, max_queue - 1);
    const double sum = head.sum + head.power;
    const double weighted = head.weighted + (big_q - 1) * head.power;
    const double last = head.power * ratio;
    const double inner = ratio * head.sum;  // waiting places 1..Q-1
    scale = reversed ? last : 1.0;
    t0 = reversed ? sum : ratio * sum;
    t1 = reversed ? big_q * sum - weighted : ratio * (sum + weighted);
    if (shift < 0) {
      const double log_shift = kShift * (kLn2High + kLn2Low);
      const double exponent =
          reversed ? big_q * portable_log(ratio) - log_shift * shift : log_shift;
      const bool comes_back = exponent < log_shift;
      scale = comes_back ? portable_exp(exponent) : 1.0;
      a = comes_back ? a : 0.0;
    }
    z = scale + a * t0;
    d = scale + a * inner;
    dropped = a * (reversed ? 1.0 : last);
  }
  QueueMetrics r{};
  const double served = scale * mean + big_m * a * t0;
  const double accepted_rate = rate * d;
  r.throughput_per_ms = accepted_rate / z;
  r.in_service = served / z;
  r.in_system = (scale * mean + a * (big_m * t0 + t1)) / z;
  r.service_ms = served / accepted_rate;
  r.wait_ms = a * t1 / accepted_rate;
  r.drop_probability = dropped / z;
  r.wait_weight = a / d;
  r.wait_ratio = ratio;
  r.wait_reversed = reversed;
  r.full_rate_per_ms = 1.0 / inv_mu;

  double batch = std::floor(r.in_service + 0.5);
  batch = batch < 1 ? 1 : (batch > big_m ? big_m : batch);
  const ServiceSegment s = service_segment(p, chunk_count(p, batch));
  r.prefill_ms = prefill_within_service(
      prefill_time(p.alpha_ms, s.delta_ms, s.chunks, s.prefill_work_ms, r.in_service),
      r.service_ms);
  r.itl_ms = (r.service_ms - r.prefill_ms) / p.out_tokens;
  r.ttft_ms = r.wait_ms + r.prefill_ms + r.itl_ms;
  const double rho = r.in_service / big_m;
  r.utilization = rho > 1 ? 1 : rho;
  return r;
}

}  // namespace tonnage
