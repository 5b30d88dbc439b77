// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the direct summation of the chain and the exact distribution of the wait.
#include "oracle/oracle.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tonnage::oracle {
namespace {

__extension__ using Wide = __int128;

// A positive number with its own exponent, so that weights over thousands of states neither
// overflow nor vanish.
struct Scaled {
  long double mantissa = 0;
  std::int64_t exponent = 0;

  void multiply(long double factor) {
    int shift = 0;
    mantissa = std::frexp(mantissa * factor, &shift);
    exponent += shift;
  }
  // Its value in units of 2^unit.
  long double in_units_of(std::int64_t unit) const {
    const std::int64_t shift = exponent - unit;
    return shift < -16000 ? 0.0L : std::ldexp(mantissa, static_cast<int>(shift));
  }
};

Scaled exponential_of_minus(long double y) {
  Scaled result;
  result.exponent = -static_cast<std::int64_t>(std::floor(y / std::log(2.0L)));
  const long double rest = y + static_cast<long double>(result.exponent) * std::log(2.0L);
  result.mantissa = 1;
  result.multiply(std::exp(-rest));
  return result;
}

}  // namespace

std::int64_t chunk_bound(const QueueParams& params, std::int64_t i) {
  const Wide k = params.in_tokens;
  const Wide m = params.out_tokens;
  const Wide numerator =
      (static_cast<Wide>(i) + m) * (static_cast<Wide>(params.token_budget) * i - k);
  if (numerator <= 0) return 0;
  return static_cast<std::int64_t>(numerator / (static_cast<Wide>(i) * (k + m)));
}

std::int64_t chunk_count(const QueueParams& params, std::int64_t batch) {
  // Both factors of the bound grow with i, so the first i that is enough can be bracketed.
  std::int64_t enough = 1;
  while (chunk_bound(params, enough) < batch) {
    if (enough > (std::int64_t{1} << 40)) throw std::domain_error("no chunk count is enough");
    enough *= 2;
  }
  std::int64_t short_of = enough / 2;  // 0 or an i that was too small
  while (enough - short_of > 1) {
    const std::int64_t middle = short_of + (enough - short_of) / 2;
    (chunk_bound(params, middle) >= batch ? enough : short_of) = middle;
  }
  return enough;
}

long double prefill_work(const QueueParams& params, std::int64_t chunks) {
  const long double beta = params.beta;
  const long double gamma = params.gamma;
  return (beta + gamma * static_cast<long double>(chunks + 1) / 2) *
         static_cast<long double>(params.in_tokens);
}

long double decode_work(const QueueParams& params) {
  const long double beta = params.beta;
  const long double gamma = params.gamma;
  const long double k = static_cast<long double>(params.in_tokens);
  const long double m = static_cast<long double>(params.out_tokens);
  return beta * m + gamma * m * (k + (m + 1) / 2);
}

long double delta(const QueueParams& params, std::int64_t chunks) {
  return (prefill_work(params, chunks) + decode_work(params)) /
         static_cast<long double>(chunks + params.out_tokens);
}

long double tau(const QueueParams& params, std::int64_t batch) {
  const std::int64_t chunks = chunk_count(params, batch);
  return static_cast<long double>(chunks + params.out_tokens) *
         (params.alpha + static_cast<long double>(batch) * delta(params, chunks));
}

long double mu(const QueueParams& params, std::int64_t batch) {
  return static_cast<long double>(batch) / tau(params, batch);
}

long double itl_at_batch(const QueueParams& params, std::int64_t batch) {
  const long double k = static_cast<long double>(params.in_tokens);
  const long double m = static_cast<long double>(params.out_tokens);
  const long double shared = params.alpha + static_cast<long double>(batch - 1) *
                                                delta(params, chunk_count(params, batch));
  return std::max(0.0L, shared) + params.beta + params.gamma * (k + (m + 1) / 2);
}

long double prefill_at_batch(const QueueParams& params, std::int64_t batch) {
  const std::int64_t chunks = chunk_count(params, batch);
  const long double shared =
      params.alpha + static_cast<long double>(batch - 1) * delta(params, chunks);
  return static_cast<long double>(chunks) * std::max(0.0L, shared) + prefill_work(params, chunks);
}

Chain::Chain(const QueueParams& params) : params_(params) {
  if (params.max_batch < 1 || params.max_queue < 0 || params.in_tokens < 0 ||
      params.out_tokens < 1) {
    throw std::domain_error("queue parameters out of range");
  }
  for (std::int64_t n = 1; n <= params.max_batch; ++n) {
    chunks_.push_back(chunk_count(params, n));
    rates_.push_back(mu(params, n));
  }
}

long double Chain::departure_rate(std::int64_t n) const {
  return rates_.at(static_cast<std::size_t>(n - 1));
}

long double Chain::lowest_rate() const { return 0.001L * rates_.front(); }

long double Chain::highest_rate() const { return 0.999L * rates_.back(); }

std::int64_t Chain::chunks_at(long double in_service) const {
  const long double rounded = std::floor(in_service + 0.5L);
  const long double batch = std::clamp(rounded, 1.0L, static_cast<long double>(params_.max_batch));
  return chunks_[static_cast<std::size_t>(batch) - 1];
}

std::vector<long double> Chain::probabilities(long double lambda) const {
  if (!(lambda > 0)) throw std::domain_error("the rate must be positive");
  const std::int64_t states = params_.max_batch + params_.max_queue;
  std::vector<Scaled> weights(static_cast<std::size_t>(states) + 1);
  Scaled weight;
  weight.mantissa = 1;
  weight.multiply(1);
  std::int64_t unit = weight.exponent;
  weights[0] = weight;
  for (std::int64_t n = 1; n <= states; ++n) {
    const std::int64_t busy = std::min(n, params_.max_batch);
    weight.multiply(lambda / rates_[static_cast<std::size_t>(busy - 1)]);
    weights[static_cast<std::size_t>(n)] = weight;
    unit = std::max(unit, weight.exponent);
  }
  std::vector<long double> result(weights.size());
  long double total = 0;
  for (std::size_t n = 0; n < weights.size(); ++n) {
    result[n] = weights[n].in_units_of(unit);
    total += result[n];
  }
  for (long double& probability : result) probability /= total;
  return result;
}

Metrics Chain::evaluate(long double lambda, std::int64_t forced_chunks) const {
  const std::vector<long double> p = probabilities(lambda);
  const std::size_t batch = static_cast<std::size_t>(params_.max_batch);
  Metrics result;
  long double waiting = 0;
  for (std::size_t n = 0; n < p.size(); ++n) {
    result.in_service += static_cast<long double>(std::min(n, batch)) * p[n];
    result.in_system += static_cast<long double>(n) * p[n];
    if (n > batch) waiting += static_cast<long double>(n - batch) * p[n];
    if (n + 1 < p.size()) result.accepted += p[n];
  }
  result.drop_probability = p.back();
  result.throughput = lambda * result.accepted;
  result.serv = result.in_service / result.throughput;
  result.wait = waiting / result.throughput;
  result.chunks = forced_chunks > 0 ? forced_chunks : chunks_at(result.in_service);
  const long double iteration =
      params_.alpha + (result.in_service - 1) * delta(params_, result.chunks);
  const long double prefill = static_cast<long double>(result.chunks) * std::max(0.0L, iteration) +
                              prefill_work(params_, result.chunks);
  result.prefill = std::min(prefill, result.serv);  // part of the service
  result.itl = (result.serv - result.prefill) / static_cast<long double>(params_.out_tokens);
  result.ttft = result.wait + result.prefill + result.itl;
  result.rho = std::clamp(result.in_service / static_cast<long double>(batch), 0.0L, 1.0L);
  return result;
}

long double Chain::wait_survival(long double lambda, long double t) const {
  const std::vector<long double> p = probabilities(lambda);
  if (t < 0) return 1;
  long double accepted = 0;
  for (std::size_t n = 0; n + 1 < p.size(); ++n) accepted += p[n];
  // P(Erlang(j+1) > t) is the Poisson probability of at most j departures by t: a sum of positive
  // terms that grows by one term with every j.
  const long double y = rates_.back() * t;
  Scaled term = exponential_of_minus(y);
  long double erlang = 0;
  long double survival = 0;
  const std::size_t batch = static_cast<std::size_t>(params_.max_batch);
  for (std::size_t j = 0; batch + j + 1 < p.size(); ++j) {
    if (j > 0) term.multiply(y / static_cast<long double>(j));
    erlang += term.in_units_of(0);
    survival += p[batch + j] / accepted * std::min(1.0L, erlang);
  }
  return survival;
}

long double Chain::wait_quantile(long double lambda, long double p) const {
  if (!(p > 0 && p < 1)) throw std::domain_error("a percentile lies between 0 and 1");
  const long double tail = 1 - p;
  if (wait_survival(lambda, 0) <= tail) return 0;
  long double above = 1 / rates_.back();
  while (wait_survival(lambda, above) > tail) above *= 2;
  long double below = 0;
  for (int step = 0; step < 200; ++step) {
    const long double middle = below + (above - below) / 2;
    if (middle <= below || middle >= above) break;
    (wait_survival(lambda, middle) <= tail ? above : below) = middle;
  }
  return above;
}

Metrics evaluate(const QueueParams& params, long double lambda) {
  return Chain(params).evaluate(lambda);
}

long double wait_survival(const QueueParams& params, long double lambda, long double t) {
  return Chain(params).wait_survival(lambda, t);
}

long double wait_quantile(const QueueParams& params, long double lambda, long double p) {
  return Chain(params).wait_quantile(lambda, p);
}

}  // namespace tonnage::oracle
