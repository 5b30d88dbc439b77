// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the reference for sizing one (server, accelerator) pair: batch ceiling, rates, replicas,
// cost, value. Built on the slow queue of oracle.hpp alone.
#pragma once

#include <cstdint>
#include <string>

#include "oracle/oracle.hpp"

namespace tonnage::oracle {

// What a server runs on: name, replicas and cost (cents/hour) of an allocation.
struct Holding {
  std::string accelerator;  // empty: none
  std::int64_t replicas = 0;
  double cost = 0;
};

// Everything that decides the allocation of one pair.
struct PairInput {
  // Performance data of the model on the accelerator.
  double alpha = 0;
  double beta = 0;
  double gamma = 0;
  std::int64_t data_max_batch = 1;
  std::int64_t at_tokens = 0;
  std::int64_t acc_count = 0;
  // The accelerator.
  std::string accelerator;
  double accelerator_cost = 0;  // cents/hour
  std::int64_t multiplicity = 1;
  // The server.
  double arrival_rate_per_min = 0;
  std::int64_t in_tokens = 0;
  std::int64_t out_tokens = 0;
  std::int64_t min_replicas = 0;
  std::int64_t max_batch_override = 0;
  std::int64_t max_queue = 0;
  std::int64_t token_budget = 8192;
  Holding current;
  Targets targets;
};

struct PairResult {
  bool feasible = false;
  std::string accelerator;  // empty for the empty allocation
  std::int64_t max_batch = 0;
  std::int64_t replicas = 0;
  // total / goodput, of which `replicas` is the ceiling: a test that compares ceilings must leave
  // room where this is within rounding of a whole number. 0 under zero load.
  long double load_over_goodput = 0;
  long double cost = 0;    // cents/hour
  std::int64_t cards = 0;  // of the accelerator's type
  long double value = 0;   // transition penalty from the current holding
  long double itl = 0;     // ms, as are the latencies below; each at total/replicas
  long double ttft = 0;
  long double wait = 0;
  long double rho = 0;
  long double drop_probability = 0;
  long double max_rate =
      0;             // requests/ms a replica may be offered: goodput, or the zero-load formula
  RateResult rates;  // the search at max_batch; empty under zero load
};

// Total rate of a server in requests/ms: its load, or what the TPS target asks for.
long double total_rate(const PairInput& input);

// N, the batch size ceiling under load.
std::int64_t batch_ceiling(const PairInput& input);

// max(ceil(total / goodput), min_replicas); 0 when goodput is 0 or more than 1e9 would be needed.
std::int64_t replicas_needed(long double total, long double goodput, std::int64_t min_replicas);

// Value of moving from one holding to another.
long double transition_penalty(const Holding& from, const Holding& to);

// Watts drawn by r replicas of acc_count accelerators at utilisation rho: straight lines through
// (0, idle), (mid_util, mid_power), (1, full).
long double power(double idle, double mid_util, double mid_power, double full, long double rho,
                  std::int64_t replicas, std::int64_t acc_count);

// The candidate at batch size M with as few replicas as its load needs (the load is not zero).
PairResult size_at_batch(const PairInput& input, std::int64_t max_batch,
                         const SearchOptions& options = {});

// The allocation of the pair in batch mode `max`, zero load included.
PairResult size_pair(const PairInput& input, const SearchOptions& options = {});

// The same in batch mode `search`: over every batch size the least replicas, then the smallest M.
PairResult size_pair_over_batches(const PairInput& input, const SearchOptions& options = {});

}  // namespace tonnage::oracle
