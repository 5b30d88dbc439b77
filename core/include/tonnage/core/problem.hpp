// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The planning problem as flat rows, which sizing, selection and the backends work on. Owns: the
// rows built once from a System (their types are in line.hpp) with their names, and the value, cost
// and metrics of a line's answer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tonnage/core/accelerator.hpp"
#include "tonnage/core/line.hpp"

namespace tonnage {

class System;
class Server;

// One clause for people, e.g. "no performance data for the model on this accelerator".
[[nodiscard]] std::string_view describe(Reason reason);

// Metrics of an allocation at the rate each replica sees.
struct AllocationMetrics {
  double itl_ms = 0;
  double ttft_ms = 0;
  double response_ms = 0;  // wait and service, to the last token
  double rho = 0;
  double max_rate_per_replica_per_ms = 0;
  double drop_probability = 0;
  double ttft_p50_ms = 0;
  double ttft_p90_ms = 0;
  double ttft_p95_ms = 0;
  double ttft_p99_ms = 0;
  double power_w = 0;  // all replicas, at utilisation rho

  friend bool operator==(const AllocationMetrics&, const AllocationMetrics&) = default;
};

// The current allocation of a server that combines accelerators, by accelerator index.
struct CurrentMix {
  std::int64_t server;
  std::vector<std::pair<std::int32_t, std::int64_t>> parts;  // accelerator, replicas
};

// Rows of a System. Indices follow the order of names, so they do not depend on input order.
struct Problem {
  std::vector<std::string> server_names;    // [servers]
  std::vector<Accelerator> accelerators;    // [accelerators], by name
  std::vector<std::string> type_names;      // [types], by name: of accelerators and capacities
  std::vector<std::int64_t> type_capacity;  // [types], cards; 0 without a capacity entry
  std::vector<bool> type_has_capacity;      // [types]
  std::vector<ServerRow> servers;           // [servers]
  std::vector<PerfRow> perfs;               // by model name, then accelerator name
  std::vector<LineRow> lines;               // by server, then accelerator
  std::vector<std::int64_t> first_line;     // [servers + 1]: lines of server s
  std::vector<CurrentMix> current_mixes;    // of servers that have one, ascending

  [[nodiscard]] std::span<const LineRow> lines_of(std::int64_t server) const {
    return {lines.data() + first_line[server],
            static_cast<std::size_t>(first_line[server + 1] - first_line[server])};
  }
};

// Calls body(first, last) for ranges that cover [0, count), from any threads, and returns when all
// calls have. An empty function stands for one range on the calling thread.
using ParallelFor = std::function<void(
    std::int64_t count, const std::function<void(std::int64_t first, std::int64_t last)>& body)>;

// Builds the rows of a whole system; the result does not depend on `parallel_for`. Lines are all
// (server, accelerator) pairs with performance data of plannable servers, restricted by
// keepAccelerator and exclusions. A server of kind kEmpty has such lines as well, all with the same
// answer.
[[nodiscard]] Problem build_problem(const System& system, const ParallelFor& parallel_for = {});

// The rows of one server and of one row of performance data, accelerator indices in name order.
[[nodiscard]] ServerRow make_server_row(const System& system, const Server& server);
[[nodiscard]] PerfRow make_perf_row(const System& system, const ModelPerfSpec& spec);

// Turns the outcome of the rate search at batch size `max_batch` into a replica count or a reason
// (docs/model.md).
[[nodiscard]] LineOutcome finish_line(const ServerRow& server, const PerfRow& perf,
                                      std::int64_t max_batch, const RateSearch<double>& found);

// Answers one line, batch size at its ceiling.
[[nodiscard]] LineOutcome size_line(const ServerRow& server, const PerfRow& perf);

// Value of `replicas` on a line: the transition penalty from the server's current allocation.
[[nodiscard]] double line_value(const ServerRow& server, const PerfRow& perf,
                                const LineOutcome& outcome);
[[nodiscard]] double line_cost(const PerfRow& perf, const LineOutcome& outcome);

// cost_to - cost_from, plus a tenth of both costs where the accelerator changes (docs/model.md).
[[nodiscard]] double transition_penalty(bool same_accelerator, std::int64_t replicas_from,
                                        double cost_from, std::int64_t replicas_to, double cost_to);

// Values and regrets are compared after rounding to 1e-6 cents: regrets tie structurally, and
// ties are then broken by name (index order).
[[nodiscard]] double rounded_value(double value);

// Watts that all replicas of an allocation draw; the same as allocation_metrics().power_w.
[[nodiscard]] double allocation_power_w(const ServerRow& server, const PerfRow& perf,
                                        const Accelerator& accelerator, const LineOutcome& outcome);

// Metrics of `replicas` replicas at batch size `max_batch` sharing the server's whole load.
[[nodiscard]] AllocationMetrics allocation_metrics(const ServerRow& server, const PerfRow& perf,
                                                   const Accelerator& accelerator,
                                                   const LineOutcome& outcome);

// One part of an allocation that combines accelerators: its share of the load, and its metrics at
// that share.
struct PartMetrics {
  double share;
  std::int64_t num_replicas;
  AllocationMetrics metrics;
};

// Metrics of a server whose load is split over parts. Latencies are averages over requests,
// utilisation and largest rate are averages over replicas, power is the sum. A percentile is the
// largest of any part, an upper bound of the true one.
[[nodiscard]] AllocationMetrics combined_metrics(std::span<const PartMetrics> parts);

}  // namespace tonnage
