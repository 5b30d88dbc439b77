// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the slow, obvious reference for one replica seen as a queue: every state of the chain is
// summed in extended precision, and rates are searched by scanning. It shares no code with the
// library, so that an error in one does not hide in the other.
//
// Units: time in ms, rates in requests/ms, tokens and states are counts.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace tonnage::oracle {

// One replica: performance data, request size, token budget per iteration, room.
struct QueueParams {
  double alpha = 0;
  double beta = 0;
  double gamma = 0;
  std::int64_t in_tokens = 0;
  std::int64_t out_tokens = 1;
  std::int64_t token_budget = 8192;
  std::int64_t max_batch = 1;
  std::int64_t max_queue = 0;
};

// floor(max(0, (i + m) * (T - k/i) / (k + m))), in exact integer arithmetic: the largest batch for
// which i chunks are enough.
std::int64_t chunk_bound(const QueueParams& params, std::int64_t i);

// c(B): the smallest i >= 1 with chunk_bound(i) >= B. Throws std::domain_error when there is none.
std::int64_t chunk_count(const QueueParams& params, std::int64_t batch);

// Work of one request for c prefill chunks: prefill, decode, and their mean per iteration (ms).
long double prefill_work(const QueueParams& params, std::int64_t chunks);
long double decode_work(const QueueParams& params);
long double delta(const QueueParams& params, std::int64_t chunks);

// Time one request spends in service at a batch (ms), and the departure rate there.
long double tau(const QueueParams& params, std::int64_t batch);
long double mu(const QueueParams& params, std::int64_t batch);

// Latencies of a batch held at B (ms).
long double itl_at_batch(const QueueParams& params, std::int64_t batch);
long double prefill_at_batch(const QueueParams& params, std::int64_t batch);

struct Metrics {
  long double in_service = 0;        // X
  long double in_system = 0;         // S
  long double drop_probability = 0;  // pK
  long double accepted = 0;          // 1 - pK, summed on its own
  long double throughput = 0;
  long double serv = 0;
  long double wait = 0;
  std::int64_t chunks = 0;  // c at the mean batch
  long double prefill = 0;
  long double itl = 0;
  long double ttft = 0;
  long double rho = 0;
};

// The birth-death chain of one replica, with its departure rates worked out once.
class Chain {
 public:
  explicit Chain(const QueueParams& params);

  const QueueParams& params() const { return params_; }
  // mu(n) for n = 1..max_batch.
  long double departure_rate(std::int64_t n) const;
  long double lowest_rate() const;   // 0.001 * mu(1)
  long double highest_rate() const;  // 0.999 * mu(max_batch)

  // P(state n), n = 0..max_batch+max_queue. Throws std::domain_error unless lambda > 0.
  std::vector<long double> probabilities(long double lambda) const;

  // The metrics at a rate. `forced_chunks` > 0 replaces the chunk count that belongs to the mean
  // batch: so one sees the limit at a rate where that count jumps.
  Metrics evaluate(long double lambda, std::int64_t forced_chunks = 0) const;

  // The chunk count that belongs to a mean batch: c(clamp(round_half_up(X), 1, max_batch)).
  std::int64_t chunks_at(long double in_service) const;

  // P(wait > t) of an accepted request.
  long double wait_survival(long double lambda, long double t) const;

  // The least t >= 0 with P(wait > t) <= 1 - p, for 0 < p < 1.
  long double wait_quantile(long double lambda, long double p) const;

 private:
  QueueParams params_;
  std::vector<long double> rates_;    // mu(1..max_batch)
  std::vector<std::int64_t> chunks_;  // c(1..max_batch)
};

// The same for one-off calls.
Metrics evaluate(const QueueParams& params, long double lambda);
long double wait_survival(const QueueParams& params, long double lambda, long double t);
long double wait_quantile(const QueueParams& params, long double lambda, long double p);

// Service-level targets; 0: none.
struct Targets {
  double itl_ms = 0;
  double ttft_ms = 0;
  double tps = 0;              // tokens/s
  double ttft_percentile = 0;  // 0: ttft_ms bounds the mean; else that quantile, in (0, 1)
  double e2e_ms = 0;           // mean time from arrival to the last token
  double drop = 0;             // share of arrivals dropped
};

struct SearchOptions {
  // A latency holds when it is at most target * (1 + tolerance). Latencies can be flat in the rate:
  // a test brackets another search by two tolerances rather than comparing rates.
  long double tolerance = 1e-9L;
  // Rates at which the range is scanned before the first violation is bisected.
  int scan_points = 2000;
};

struct RateResult {
  bool feasible = false;  // every target holds at the low end of a range that is not empty
  long double low = 0;
  long double high = 0;
  // The largest rate up to which each target holds throughout, by itself; `high` (for TPS 0.9 of
  // it) where the target does not bind, 0 where it fails at the low end.
  long double rate_itl = 0;
  long double rate_ttft = 0;
  long double rate_tps = 0;
  long double rate_e2e = 0;
  long double rate_drop = 0;
  long double rate = 0;     // lambda*: the least of them
  long double goodput = 0;  // throughput there
  Metrics metrics;          // at lambda*
};

// The largest rate of [0.001 mu(1), 0.999 mu(M)] up to which all targets hold throughout. Between
// two rates where the chunk count jumps the latencies are smooth; each such piece is scanned with
// its own chunk count, ends included, so that a violation just left of a jump is seen.
RateResult largest_rate(const Chain& chain, const Targets& targets,
                        const SearchOptions& options = {});
RateResult largest_rate(const QueueParams& params, const Targets& targets,
                        const SearchOptions& options = {});

// The smallest batch size of 1..max_batch whose goodput under the targets is at least 0.98 of the
// largest over all of them; 0 when none is feasible.
std::int64_t least_concurrency(const QueueParams& params, const Targets& targets,
                               const SearchOptions& options = {});

}  // namespace tonnage::oracle
