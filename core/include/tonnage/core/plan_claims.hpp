// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What a plan file states, whoever wrote it: the input of verification and comparison. Owns: the
// fields that a plan file may carry (an absent field is not claimed), and the results of comparing
// and verifying plans.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/spec.hpp"

namespace tonnage {

// The allocation of one server. Costs in cents/hour, times in ms, maxRPM in requests/min of one
// replica, power in watts over all replicas.
struct AllocationClaims {
  std::optional<std::string> accelerator;  // empty: the empty allocation
  std::optional<std::int64_t> num_replicas;
  std::optional<std::int64_t> max_batch;
  std::optional<double> cost_cents_per_hour;
  std::optional<double> itl_average_ms;
  std::optional<double> ttft_average_ms;
  std::optional<LoadSpec> load;
  std::optional<double> value;
  std::optional<double> response_ms;
  std::optional<double> rho;
  std::optional<double> max_rpm;
  std::optional<double> drop_probability;
  std::optional<double> ttft_p50_ms;
  std::optional<double> ttft_p90_ms;
  std::optional<double> ttft_p95_ms;
  std::optional<double> ttft_p99_ms;
  std::optional<double> power_w;
  std::optional<bool> partial;
  std::vector<AllocationPart> parts;  // where accelerators are combined, else empty

  friend bool operator==(const AllocationClaims&, const AllocationClaims&) = default;
};

struct TypeClaims {
  std::optional<std::int64_t> used;   // cards
  std::optional<std::int64_t> limit;  // cards
  std::optional<double> cost;         // cents/hour

  friend bool operator==(const TypeClaims&, const TypeClaims&) = default;
};

struct PriorityClaims {
  std::optional<std::int64_t> served;
  std::optional<std::int64_t> partial;
  std::optional<std::int64_t> unserved;

  friend bool operator==(const PriorityClaims&, const PriorityClaims&) = default;
};

// One stage of the certificate (see StageCertificate).
struct StageClaims {
  std::optional<int> priority;  // absent: the stage of value
  std::optional<double> objective;
  std::optional<double> lower_bound;
  std::optional<double> price_bound;  // absent: all of the lower bound
  std::optional<bool> proven;
  std::map<std::string, double> type_prices;  // empty: the bound comes from elsewhere
  std::map<std::string, double> limit_prices;
  std::map<int, double> class_prices;

  // Whether the stated bound needs more than its prices to prove, whether or not it is true.
  [[nodiscard]] bool rests_on_search() const {
    return lower_bound &&
           (type_prices.empty() || price_bound.value_or(*lower_bound) < *lower_bound);
  }

  friend bool operator==(const StageClaims&, const StageClaims&) = default;
};

struct SummaryClaims {
  std::optional<double> total_cost;   // cents/hour
  std::optional<double> total_value;  // sum of values
  std::optional<std::map<std::string, TypeClaims>> types;
  std::map<std::string, double> limits;  // what is used of each limit
  std::optional<std::map<int, PriorityClaims>> priorities;
  std::vector<StageClaims> stages;
  std::optional<double> gap;
  bool batch_search = false;  // batch sizes were searched

  friend bool operator==(const SummaryClaims&, const SummaryClaims&) = default;
};

struct PlanClaims {
  std::map<std::string, AllocationClaims> allocations;  // by server name
  // Names of the servers left out, in the plan's order; absent when the plan lists none at all.
  std::optional<std::vector<std::string>> unallocated;
  std::optional<SummaryClaims> summary;

  friend bool operator==(const PlanClaims&, const PlanClaims&) = default;
};

enum class ChangeKind { kAdded, kRemoved, kChanged };

[[nodiscard]] constexpr std::string_view to_string(ChangeKind kind) noexcept {
  switch (kind) {
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kChanged:
      return "changed";
  }
  return "unknown";
}

// A server whose allocation differs between two plans. A side without an allocation is empty: no
// accelerator, 0 replicas, cost 0.
struct PlanChange {
  std::string server;
  ChangeKind kind = ChangeKind::kChanged;
  std::string old_accelerator;
  std::string new_accelerator;
  std::int64_t old_num_replicas = 0;
  std::int64_t new_num_replicas = 0;
  std::int64_t old_max_batch = 0;
  std::int64_t new_max_batch = 0;
  double cost_difference = 0;                  // cents/hour, new minus old
  std::vector<AllocationPart> old_parts = {};  // where accelerators are combined
  std::vector<AllocationPart> new_parts = {};

  friend bool operator==(const PlanChange&, const PlanChange&) = default;
};

// One rule or claim that a plan violates.
struct Violation {
  std::string server;   // empty: the plan as a whole
  std::string kind;     // one word or two for programs, e.g. "capacity", "cost", "itl-target"
  std::string message;  // a sentence for people, with the values

  friend bool operator==(const Violation&, const Violation&) = default;
};

}  // namespace tonnage
