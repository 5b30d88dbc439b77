// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the event loop of the simulation.
#include "oracle/simulation.hpp"

#include <algorithm>
#include <deque>
#include <random>

namespace tonnage::oracle {
namespace {

struct Request {
  double start = 0;  // when it arrived, then when its service began
  bool measured = false;
};

}  // namespace

SimulationResult simulate(const Chain& chain, double lambda, std::int64_t warm_up,
                          std::int64_t arrivals, std::uint64_t seed) {
  const std::size_t max_batch = static_cast<std::size_t>(chain.params().max_batch);
  const std::size_t max_queue = static_cast<std::size_t>(chain.params().max_queue);
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> unit_delay(1.0);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);

  SimulationResult result;
  std::vector<Request> serving;
  std::deque<Request> queue;
  double now = 0;
  double began = 0;
  double ended = 0;
  double service_time = 0;
  double busy_time = 0;
  std::int64_t arrived = 0;
  std::int64_t dropped = 0;
  std::int64_t departed = 0;
  std::int64_t served = 0;
  std::int64_t outstanding = 0;  // measured requests still here: without them long stays would miss
  while (arrived < warm_up + arrivals || outstanding > 0) {
    const double leaving =
        serving.empty()
            ? 0.0
            : static_cast<double>(chain.departure_rate(static_cast<std::int64_t>(serving.size())));
    const double step = unit_delay(random) / (lambda + leaving);
    const bool measuring = arrived >= warm_up && arrived < warm_up + arrivals;
    now += step;
    if (arrived < warm_up) began = now;
    if (measuring) {
      busy_time += step * static_cast<double>(serving.size());
      ended = now;
    }
    if (uniform(random) * (lambda + leaving) < lambda) {
      ++arrived;
      if (serving.size() < max_batch) {
        serving.push_back({now, measuring});
        if (measuring) {
          result.waits.push_back(0);
          ++outstanding;
        }
      } else if (queue.size() < max_queue) {
        queue.push_back({now, measuring});
        if (measuring) ++outstanding;
      } else if (measuring) {
        ++dropped;
      }
      continue;
    }
    // Requests in one batch progress alike, so any of them is equally likely to be the one done.
    const std::size_t who =
        std::min(serving.size() - 1,
                 static_cast<std::size_t>(uniform(random) * static_cast<double>(serving.size())));
    if (measuring) ++departed;
    if (serving[who].measured) {
      service_time += now - serving[who].start;
      ++served;
      --outstanding;
    }
    serving[who] = serving.back();
    serving.pop_back();
    if (!queue.empty()) {
      const Request next = queue.front();
      queue.pop_front();
      if (next.measured) result.waits.push_back(now - next.start);
      serving.push_back({now, next.measured});
    }
  }
  const double elapsed = ended - began;
  for (const double wait : result.waits) result.mean_wait += wait;
  result.mean_wait /= static_cast<double>(std::max<std::size_t>(1, result.waits.size()));
  result.mean_service = service_time / static_cast<double>(std::max<std::int64_t>(1, served));
  result.mean_in_service = busy_time / elapsed;
  result.drop_fraction = static_cast<double>(dropped) / static_cast<double>(arrivals);
  result.throughput = static_cast<double>(departed) / elapsed;
  return result;
}

}  // namespace tonnage::oracle
