// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns a seeded discrete-event simulation of one replica: requests queue, enter service first come
// first served, and leave. It knows the departure rates but none of the formulas drawn from them.
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/oracle.hpp"

namespace tonnage::oracle {

// One run, measured after a warm-up.
struct SimulationResult {
  double mean_wait = 0;        // ms, over accepted requests
  double mean_service = 0;     // ms in service, over requests that left
  double mean_in_service = 0;  // time average
  double drop_fraction = 0;    // of arrivals
  double throughput = 0;       // departures/ms
  std::vector<double> waits;   // ms, of every accepted request that entered service
};

// Simulates `arrivals` arrivals after `warm_up` of them. The same seed gives the same run.
SimulationResult simulate(const Chain& chain, double lambda, std::int64_t warm_up,
                          std::int64_t arrivals, std::uint64_t seed);

}  // namespace tonnage::oracle
