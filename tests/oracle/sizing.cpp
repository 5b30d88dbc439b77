// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns sizing of one pair by the letter of the rules.
#include "oracle/sizing.hpp"

#include <algorithm>
#include <cmath>

namespace tonnage::oracle {
namespace {

constexpr long double kMostReplicas = 1e9L;

bool zero_load(const PairInput& input) {
  return input.arrival_rate_per_min == 0 || input.out_tokens == 0;
}

void price(const PairInput& input, PairResult* result) {
  const std::int64_t instances = std::max<std::int64_t>(1, input.acc_count);
  result->cost = static_cast<long double>(input.accelerator_cost) *
                 static_cast<long double>(instances * result->replicas);
  result->cards = result->replicas * instances * input.multiplicity;
  result->value = transition_penalty(
      input.current, {result->accelerator, result->replicas, static_cast<double>(result->cost)});
}

PairResult size_without_load(const PairInput& input) {
  PairResult result;
  result.feasible = true;
  if (input.min_replicas == 0) {
    price(input, &result);
    return result;
  }
  result.accelerator = input.accelerator;
  result.replicas = input.min_replicas;
  result.max_batch = input.max_batch_override > 0 ? input.max_batch_override : input.data_max_batch;
  const long double batch = static_cast<long double>(result.max_batch);
  result.itl = static_cast<long double>(input.alpha) + input.beta;
  result.ttft = result.itl + input.gamma * batch;
  const long double divisor = result.ttft + input.alpha + input.beta * batch;
  result.max_rate = divisor == 0 ? 0 : batch / divisor;
  price(input, &result);
  return result;
}

bool no_candidate(const PairInput& input) {
  return input.alpha == 0 && input.beta == 0 && input.gamma == 0;
}

}  // namespace

long double total_rate(const PairInput& input) {
  if (input.targets.tps > 0) {
    return static_cast<long double>(input.targets.tps) /
           static_cast<long double>(input.out_tokens) / 1000;
  }
  return static_cast<long double>(input.arrival_rate_per_min) / 60000;
}

std::int64_t batch_ceiling(const PairInput& input) {
  if (input.max_batch_override > 0) return input.max_batch_override;
  return std::max<std::int64_t>(1, input.data_max_batch * input.at_tokens / input.out_tokens);
}

std::int64_t replicas_needed(long double total, long double goodput, std::int64_t min_replicas) {
  if (!(goodput > 0)) return 0;
  const long double needed = std::ceil(total / goodput);
  if (needed > kMostReplicas) return 0;
  return std::max(static_cast<std::int64_t>(needed), min_replicas);
}

long double transition_penalty(const Holding& from, const Holding& to) {
  const long double before = from.cost;
  const long double after = to.cost;
  if (from.accelerator == to.accelerator) {
    return from.replicas == to.replicas ? 0.0L : after - before;
  }
  return 0.1L * (before + after) + after - before;
}

long double power(double idle, double mid_util, double mid_power, double full, long double rho,
                  std::int64_t replicas, std::int64_t acc_count) {
  const long double accelerators =
      static_cast<long double>(replicas * std::max<std::int64_t>(1, acc_count));
  const long double mid = mid_power;
  if (rho <= mid_util) return accelerators * (idle + rho / mid_util * (mid - idle));
  return accelerators * (mid + (rho - mid_util) / (1.0L - mid_util) * (full - mid));
}

PairResult size_at_batch(const PairInput& input, std::int64_t max_batch,
                         const SearchOptions& options) {
  PairResult result;
  if (no_candidate(input)) return result;
  const Chain chain({input.alpha, input.beta, input.gamma, input.in_tokens, input.out_tokens,
                     input.token_budget, max_batch, input.max_queue});
  result.max_batch = max_batch;
  result.rates = largest_rate(chain, input.targets, options);
  if (!result.rates.feasible) return result;
  const long double total = total_rate(input);
  result.max_rate = result.rates.goodput;
  result.load_over_goodput = total / result.max_rate;
  result.replicas = replicas_needed(total, result.max_rate, input.min_replicas);
  if (result.replicas == 0) return result;
  result.feasible = true;
  result.accelerator = input.accelerator;
  const Metrics metrics = chain.evaluate(total / static_cast<long double>(result.replicas));
  result.itl = metrics.itl;
  result.ttft = metrics.ttft;
  result.wait = metrics.wait;
  result.rho = metrics.rho;
  result.drop_probability = metrics.drop_probability;
  price(input, &result);
  return result;
}

PairResult size_pair(const PairInput& input, const SearchOptions& options) {
  if (zero_load(input)) return size_without_load(input);
  return size_at_batch(input, batch_ceiling(input), options);
}

PairResult size_pair_over_batches(const PairInput& input, const SearchOptions& options) {
  if (zero_load(input)) return size_without_load(input);
  PairResult best;
  for (std::int64_t batch = 1; batch <= batch_ceiling(input); ++batch) {
    PairResult next = size_at_batch(input, batch, options);
    if (next.feasible && (!best.feasible || next.replicas < best.replicas)) best = next;
  }
  return best;
}

}  // namespace tonnage::oracle
