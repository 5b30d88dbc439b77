// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Selection under capacity: each server takes one of its options or none. Owns: the flat option
// table, the published solvers (unlimited, and greedy with its saturation policies), and the rules
// that make their choices independent of input order.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   #include "tonnage/host/line_sizing.hpp"
//   const tonnage::Problem problem = tonnage::build_problem(tonnage::System());
//   const auto table = tonnage::build_options(problem, tonnage::size_lines(problem));
//   const auto choices = tonnage::select_greedy(table, tonnage::SaturationPolicy::kNone, false);
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tonnage/core/problem.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// What an option takes of a resource other than the cards of its own type: cards of another type,
// or a limit of the file (cost, power, changes).
struct Use {
  std::int32_t resource;     // types first, then limits: index into capacity, then limits
  std::int64_t whole;        // of the whole allocation
  std::int64_t fixed;        // of any part of it, and
  std::int64_t per_replica;  // of each replica of the part

  // The use by `replicas` of the option's `all` replicas.
  [[nodiscard]] std::int64_t of(std::int64_t replicas, std::int64_t all) const noexcept {
    if (replicas == 0) return 0;
    return replicas == all ? whole : fixed + per_replica * replicas;
  }
};

// A combination of replicas of two accelerators whose goodputs together carry the load.
struct Mix {
  struct Part {
    std::int64_t line;
    std::int64_t num_replicas;
  };
  std::array<Part, 2> parts;  // ascending in accelerator
};

// One way to serve a server. A mix counts as one replica, because it is never granted in part. Its
// cards are those of its first part, plus those of the second part if both have one type; otherwise
// the second part's cards are among the uses.
struct Option {
  double objective;           // what selection minimises: the value where no weights are set
  double value;               // transition penalty of the whole allocation
  double cost;                // cents/hour
  std::int64_t num_replicas;  // 0: the empty allocation
  std::int64_t cards_per_replica;
  std::int64_t line;           // index into Problem::lines and the outcomes
  std::int32_t accelerator;    // index by name; kNoAccelerator for the empty allocation
  std::int32_t type;           // index into capacities; -1 for the empty allocation
  std::int64_t first_use = 0;  // of OptionTable::uses
  std::int32_t num_uses = 0;
  std::int32_t mix = -1;  // index into OptionTable::mixes; -1: one accelerator

  [[nodiscard]] std::int64_t cards() const noexcept { return num_replicas * cards_per_replica; }
};

// Options of all servers, each server's sorted by (objective rounded, accelerator).
struct OptionTable {
  std::vector<Option> options;
  std::vector<std::int64_t> first;     // [servers + 1]
  std::vector<std::int32_t> priority;  // [servers]
  std::vector<std::int64_t> capacity;  // [types], cards
  std::vector<std::int64_t> limits;    // [limits] what all allocations together may take
  std::vector<Mix> mixes;
  std::vector<Use> uses;  // of options that take more than cards of their type

  [[nodiscard]] std::int64_t num_servers() const noexcept {
    return static_cast<std::int64_t>(priority.size());
  }
  [[nodiscard]] std::span<const Use> uses_of(const Option& option) const {
    return {uses.data() + option.first_use, static_cast<std::size_t>(option.num_uses)};
  }
  [[nodiscard]] std::int64_t available(std::int32_t resource) const {
    const auto types = static_cast<std::int32_t>(capacity.size());
    return resource < types ? capacity[resource] : limits[resource - types];
  }
  // The cards that a whole option takes, by type.
  struct Cards {
    std::int32_t type;
    std::int64_t count;
  };
  [[nodiscard]] std::vector<Cards> cards_of(const Option& option) const;
  // What a whole option takes of a resource.
  [[nodiscard]] std::int64_t taken(const Option& option, std::int32_t resource) const;
};

// The option of a server and its granted replicas (fewer than the option's: partial).
struct Choice {
  std::int64_t option = -1;  // index into OptionTable::options; -1: none
  std::int64_t num_replicas = 0;

  friend bool operator==(const Choice&, const Choice&) = default;
};

// Options of every feasible line; the empty allocation appears once per server.
[[nodiscard]] OptionTable build_options(const Problem& problem,
                                        const std::vector<LineOutcome>& outcomes);

// Sorts the options of one server by (rounded objective, accelerator).
void sort_options(std::span<Option> options);

// The undominated options of one server: no other option has an objective as low and takes at most
// as much of everything. Indices into `options`, ascending in objective, then cards.
[[nodiscard]] std::vector<std::int64_t> undominated_options(const OptionTable& table,
                                                            std::int64_t server);

// Every server takes its option of least objective; limits do not count.
[[nodiscard]] std::vector<Choice> select_unlimited(const OptionTable& table);

// The published greedy selection (docs/selection.md).
[[nodiscard]] std::vector<Choice> select_greedy(const OptionTable& table, SaturationPolicy policy,
                                                bool delayed_best_effort);

}  // namespace tonnage
