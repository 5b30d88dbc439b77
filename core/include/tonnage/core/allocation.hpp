// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An allocation: the accelerator, batch size and replicas of one server, with cost and metrics.
// Owns: creation for a (server, accelerator) pair, scaling, reallocation, transition penalty, and
// the differences and totals that plans report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tonnage/core/problem.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

class Server;
class System;

class Allocation {
 public:
  // The empty allocation: no accelerator, no replicas, no cost.
  Allocation() = default;

  // The allocation of a server on an accelerator, batch size at the pair's ceiling, with the least
  // replicas that meet the targets (docs/model.md). Absent when infeasible. value = cost.
  [[nodiscard]] static std::optional<Allocation> create(const System& system, const Server& server,
                                                        const std::string& accelerator);

  // Takes the fields of a spec. Metrics that a spec does not carry (rho, rates) are 0; value =
  // cost.
  [[nodiscard]] static Allocation from_spec(const AllocationSpec& spec);
  // Spec fields of this allocation under `load`.
  [[nodiscard]] AllocationSpec to_spec(const LoadSpec& load) const;

  [[nodiscard]] const std::string& accelerator() const noexcept { return accelerator_; }
  // The parts of a combination of accelerators, as given by the spec; else empty.
  [[nodiscard]] const std::vector<AllocationPart>& parts() const noexcept { return parts_; }
  [[nodiscard]] std::int64_t num_replicas() const noexcept { return num_replicas_; }
  [[nodiscard]] std::int64_t max_batch() const noexcept { return max_batch_; }
  [[nodiscard]] double cost_cents_per_hour() const noexcept { return cost_; }
  [[nodiscard]] double value() const noexcept { return value_; }
  [[nodiscard]] double itl_ms() const noexcept { return metrics_.itl_ms; }
  [[nodiscard]] double ttft_ms() const noexcept { return metrics_.ttft_ms; }
  [[nodiscard]] double rho() const noexcept { return metrics_.rho; }
  // Largest arrival rate of one replica within its targets, requests/ms.
  [[nodiscard]] double max_arrival_rate_per_replica() const noexcept {
    return metrics_.max_rate_per_replica_per_ms;
  }
  // The same in requests/min.
  [[nodiscard]] double max_rpm() const noexcept {
    return metrics_.max_rate_per_replica_per_ms * kMsPerMinute;
  }
  [[nodiscard]] const AllocationMetrics& metrics() const noexcept { return metrics_; }

  void set_num_replicas(std::int64_t replicas) noexcept { num_replicas_ = replicas; }
  void set_max_batch(std::int64_t batch) noexcept { max_batch_ = batch; }
  void set_cost(double cents_per_hour) noexcept { cost_ = cents_per_hour; }
  void set_value(double value) noexcept { value_ = value; }
  void set_metrics(const AllocationMetrics& metrics) noexcept { metrics_ = metrics; }

  // The allocation on the same accelerator under the server's present load, and the change in
  // replicas; absent when the accelerator can no longer serve it. value = cost.
  [[nodiscard]] std::optional<std::pair<Allocation, std::int64_t>> scale(
      const System& system, const Server& server) const;
  // The least-value allocation over all accelerators of the system, whatever keepAccelerator says,
  // and its accelerator; absent when none is feasible. Equal values: the first name. value = cost.
  [[nodiscard]] static std::optional<std::pair<Allocation, std::string>> reallocate(
      const System& system, const Server& server);
  // True if the total rate (requests/min) exceeds what the replicas can carry within targets.
  [[nodiscard]] bool saturated(double total_rate_per_min) const noexcept;
  // Cost of going from this allocation to `to` (docs/model.md).
  [[nodiscard]] double transition_penalty(const Allocation& to) const noexcept;

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Allocation&, const Allocation&) = default;

 private:
  std::string accelerator_;
  std::int64_t num_replicas_ = 0;
  std::int64_t max_batch_ = 0;
  double cost_ = 0;
  double value_ = 0;
  std::vector<AllocationPart> parts_;
  AllocationMetrics metrics_;
};

// The difference between two allocations of one server. "none" stands for an absent allocation or
// an empty accelerator.
struct AllocationDiff {
  std::string old_accelerator;
  std::string new_accelerator;
  std::int64_t old_num_replicas = 0;
  std::int64_t new_num_replicas = 0;
  double cost_difference = 0;

  // Absent when both are absent.
  [[nodiscard]] static std::optional<AllocationDiff> between(const Allocation* before,
                                                             const Allocation* after);
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const AllocationDiff&, const AllocationDiff&) = default;
};

// Totals of one accelerator type.
struct AllocationByType {
  std::string type;
  std::int64_t cards = 0;
  std::int64_t limit = 0;  // 0 when the system knows no capacity for the type
  double cost = 0;

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const AllocationByType&, const AllocationByType&) = default;
};

}  // namespace tonnage
