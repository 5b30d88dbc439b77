// Selection under capacity: each server takes one of its options or none.
// Owns: the flat option table, the published solvers (unlimited, greedy with its saturation
// policies), and the rules that make their choices independent of input order.
#pragma once

#include <cstdint>
#include <vector>

#include "tonnage/core/problem.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// One way to serve a server.
struct Option {
  double value;               // transition penalty of the whole allocation
  double cost;                // cents/hour
  std::int64_t num_replicas;  // 0: the empty allocation
  std::int64_t cards_per_replica;
  std::int64_t line;         // index into Problem::lines and the outcomes
  std::int32_t accelerator;  // index by name; kNoAccelerator for the empty allocation
  std::int32_t type;         // index into capacities; -1 for the empty allocation

  [[nodiscard]] std::int64_t cards() const noexcept { return num_replicas * cards_per_replica; }
};

// Options of all servers, each server's sorted by (value rounded, accelerator).
struct OptionTable {
  std::vector<Option> options;
  std::vector<std::int64_t> first;     // [servers + 1]
  std::vector<std::int32_t> priority;  // [servers]
  std::vector<std::int64_t> capacity;  // [types], cards

  [[nodiscard]] std::int64_t num_servers() const noexcept {
    return static_cast<std::int64_t>(priority.size());
  }
};

// What a server gets: an option and the replicas granted of it (fewer than the option's: partial).
struct Choice {
  std::int64_t option = -1;  // index into OptionTable::options; -1: none
  std::int64_t num_replicas = 0;

  friend bool operator==(const Choice&, const Choice&) = default;
};

// Options of every feasible line; the empty allocation appears once per server.
[[nodiscard]] OptionTable build_options(const Problem& problem,
                                        const std::vector<LineOutcome>& outcomes);

// The options of one server that no other beats: none of the same type has no more value and no
// more cards, and none that needs no cards has no more value. Indices into `options`, ascending in
// value, then cards.
[[nodiscard]] std::vector<std::int64_t> undominated_options(const OptionTable& table,
                                                            std::int64_t server);

// Every server takes its option of least value.
[[nodiscard]] std::vector<Choice> select_unlimited(const OptionTable& table);

// The published greedy selection (model.md section 5).
[[nodiscard]] std::vector<Choice> select_greedy(const OptionTable& table, SaturationPolicy policy,
                                                bool delayed_best_effort);

}  // namespace tonnage
