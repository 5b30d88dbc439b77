// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A plan as data: what was chosen for each server, who was left out and why, and the totals.
// Owns: the result types that planners fill, files carry and people read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tonnage/core/certificate.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// Share of the load and metrics of one accelerator of a combined allocation. Its name and replicas
// are in AllocationSpec::parts.
struct PlannedPart {
  double share = 0;  // of the load
  AllocationMetrics metrics;

  friend bool operator==(const PlannedPart&, const PlannedPart&) = default;
};

// An allocation of a server, with its cost, value and metrics.
struct ServerAllocation {
  std::string server;
  AllocationSpec allocation;  // load as in the input
  double value = 0;           // transition penalty, scaled to the granted replicas when partial
  AllocationMetrics metrics;  // at the rate each replica sees, drops included

  friend bool operator==(const ServerAllocation&, const ServerAllocation&) = default;
};

// A server with an allocation. The allocation may be empty (no accelerator, no replicas) or
// partial.
struct PlannedServer : ServerAllocation {
  int priority = kLowestPriority;
  bool partial = false;  // fewer replicas than the targets need
  std::int64_t replicas_needed = 0;
  std::vector<PlannedPart> parts;  // where accelerators are combined, as in the allocation

  friend bool operator==(const PlannedServer&, const PlannedServer&) = default;
};

struct UnallocatedServer {
  std::string server;
  int priority = kLowestPriority;
  Reason reason = Reason::kNone;
  std::string detail;  // a sentence: the reason, with names and best achievable values

  friend bool operator==(const UnallocatedServer&, const UnallocatedServer&) = default;
};

struct TypeUsage {
  std::string type;
  std::int64_t used = 0;              // cards
  std::optional<std::int64_t> limit;  // cards; absent without a capacity entry
  double cost = 0;                    // cents/hour
  // What one more card saves at the margin, cents/hour, where the solver knows.
  std::optional<double> price;

  friend bool operator==(const TypeUsage&, const TypeUsage&) = default;
};

struct PriorityOutcome {
  int priority = kLowestPriority;
  std::int64_t served = 0;
  std::int64_t partial = 0;
  std::int64_t unserved = 0;
  // What serving one server more costs at the margin, cents/hour, where the solver knows.
  std::optional<double> price;

  friend bool operator==(const PriorityOutcome&, const PriorityOutcome&) = default;
};

// How much of a limit of the file the plan uses.
struct LimitUsage {
  std::string name;  // as in files: maxCost (cents/hour), maxPower (watts), maxChanges (servers)
  double used = 0;
  double limit = 0;
  // What one unit more saves at the margin, cents/hour, where the solver knows.
  std::optional<double> price;

  friend bool operator==(const LimitUsage&, const LimitUsage&) = default;
};

struct PlanSummary {
  double total_cost = 0;                    // cents/hour
  double total_value = 0;                   // sum of values
  std::vector<TypeUsage> types;             // by name
  std::vector<LimitUsage> limits;           // those that the file sets
  std::vector<PriorityOutcome> priorities;  // ascending
  std::vector<StageCertificate> stages;     // how far from the best, where the solver knows
  std::int64_t iterations = 0;              // passes over the fleet in search of prices
  std::string solver;                       // the one that ran
  std::string backend;                      // the one that evaluated the candidates
  std::string version;
  std::int64_t num_pairs = 0;       // (server, accelerator) pairs evaluated
  std::int64_t num_candidates = 0;  // those that are feasible
  // In batch mode `search`: candidates (batch size, replicas) swept over all pairs, and those among
  // them that hold the targets.
  std::int64_t candidates_swept = 0;
  std::int64_t candidates_passed = 0;
  double evaluation_s = 0;
  double selection_s = 0;

  // Distance of the objective from the lower bound of the value stage, as a share of the plan's
  // cost; 0 if proven optimal. Absent if the solver has no bound.
  [[nodiscard]] std::optional<double> gap() const {
    if (stages.empty()) return std::nullopt;
    const double distance = stages.back().objective - stages.back().lower_bound;
    if (stages.back().proven || distance <= 0) return 0.0;
    return total_cost > 0 ? std::optional(distance / total_cost) : std::nullopt;
  }
};

struct Plan {
  std::vector<PlannedServer> allocations;      // by server name
  std::vector<UnallocatedServer> unallocated;  // by server name
  PlanSummary summary;

  // Every server has a whole allocation.
  [[nodiscard]] bool complete() const {
    for (const PriorityOutcome& p : summary.priorities) {
      if (p.partial > 0 || p.unserved > 0) return false;
    }
    return true;
  }
};

// One (server, accelerator) pair as `candidates` shows it. An infeasible pair has no allocation but
// a reason.
struct Candidate : ServerAllocation {
  std::string accelerator;  // of the pair; empty for the empty allocation
  Reason reason = Reason::kNone;
  std::string detail;

  [[nodiscard]] bool feasible() const noexcept { return reason == Reason::kNone; }
};

}  // namespace tonnage
