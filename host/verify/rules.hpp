// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What a server asks for, what an accelerator gives it, and what an allocation is worth. Owns:
// verification's own reading of these rules from the spec. Of what makes plans it shares the queue
// of one replica (evaluate_queue, size_pair) and nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tonnage/core/sizing.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::verify {

// The workload of a server.
struct Demand {
  enum class Kind {
    kUnplannable,  // `problem` says why
    kEmpty,        // without load and minimum: needs nothing
    kIdle,         // without load: keeps its minimum of replicas
    kLoaded,
  };
  const ServerSpec* server = nullptr;
  int priority = kLowestPriority;
  Kind kind = Kind::kUnplannable;
  std::string problem;
  double rate_per_ms = 0;  // over all replicas
  LatencyTargets targets;
  bool has_tps_target = false;
};
[[nodiscard]] Demand read_demand(const System& system, const Server& server);

// Whether the server may use one accelerator, alone or in a combination. keepAccelerator of a
// server that has a single accelerator is must_stay()'s.
[[nodiscard]] bool excludes(const System& system, const ServerSpec& server,
                            const std::string& accelerator);
// Whether the server must stay on its current accelerator alone.
[[nodiscard]] bool must_stay(const ServerSpec& server);

// What replicas of a model on an accelerator have and cost.
struct Supply {
  const AcceleratorSpec* accelerator = nullptr;
  const ModelPerfSpec* data = nullptr;
  std::int64_t instances = 0;  // accelerators of a replica
  std::int64_t cards = 0;      // of a replica
  double cost = 0;             // of a replica, cents/hour
};
// Absent where a figure is out of range.
[[nodiscard]] std::optional<Supply> read_supply(const AcceleratorSpec& accelerator,
                                                const ModelPerfSpec& data);

// The largest batch size of a server under load, or the batch size of an idle one.
[[nodiscard]] std::int64_t batch_ceiling(const Demand& demand, const Supply& supply);
// Whether a server under load can be served there at all: serving takes time, and the ceiling is
// one that a batch may have.
[[nodiscard]] bool can_serve(const Demand& demand, const Supply& supply);
// The queue of one replica.
[[nodiscard]] QueueShape replica_queue(const Demand& demand, const Supply& supply,
                                       std::int64_t max_batch);
// The fewest replicas of that goodput that carry the rate; absent beyond kMaxReplicas.
[[nodiscard]] std::optional<std::int64_t> replicas_for(double rate_per_ms, double goodput_per_ms);
// Watts that the accelerators of some replicas draw at utilisation rho.
[[nodiscard]] double replicas_power_w(const Supply& supply, std::int64_t replicas, double rho);

// From the current allocation to another one.
struct Transition {
  bool moves = false;    // to other accelerators
  bool changed = false;  // in accelerators or replicas
  double value = 0;      // cents/hour
};
// To replicas of one accelerator, of the empty name where there are none.
[[nodiscard]] Transition transition_to(const ServerSpec& server, std::string_view accelerator,
                                       std::int64_t replicas, double cost);
// To a combination of accelerators with their replicas, in any order.
using Holding = std::pair<std::string_view, std::int64_t>;
[[nodiscard]] Transition transition_to(const ServerSpec& server, std::span<const Holding> parts,
                                       double cost);

// What selection minimises: the value, with the factor of the surcharge for moving and the price of
// the energy.
[[nodiscard]] double objective_of(const OptimizerSpec& optimizer, const ServerSpec& server,
                                  const Transition& transition, double cost, double power_w);

}  // namespace tonnage::verify
