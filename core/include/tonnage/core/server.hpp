// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A server: one (model, service class) workload, its load and its allocations. Owns: its spec, its
// calculated, current and chosen allocations, and which accelerators it may use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tonnage/core/allocation.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

class System;

class Server {
 public:
  explicit Server(ServerSpec spec);

  [[nodiscard]] const std::string& name() const noexcept { return spec_.name; }
  // Name of the service class; kDefaultClassName when the spec names none.
  [[nodiscard]] const std::string& class_name() const noexcept { return class_name_; }
  [[nodiscard]] const std::string& model() const noexcept { return spec_.model; }
  [[nodiscard]] bool keep_accelerator() const noexcept { return spec_.keep_accelerator; }
  [[nodiscard]] std::int64_t min_num_replicas() const noexcept { return spec_.min_num_replicas; }
  [[nodiscard]] std::int64_t max_num_replicas() const noexcept { return spec_.max_num_replicas; }
  [[nodiscard]] std::int64_t max_batch_size() const noexcept { return spec_.max_batch_size; }
  [[nodiscard]] std::int64_t max_queue_size() const noexcept { return spec_.max_queue_size; }
  // Priority of its class in `system`; kLowestPriority when the class is unknown.
  [[nodiscard]] int priority(const System& system) const;

  [[nodiscard]] const LoadSpec& load() const noexcept { return spec_.current_alloc.load; }
  void set_load(const LoadSpec& load) { spec_.current_alloc.load = load; }

  // Whether the server or its class excludes an accelerator. A server that keeps a combination of
  // accelerators excludes all others.
  [[nodiscard]] bool excludes(const System& system, const std::string& accelerator) const;
  // The members of `accelerators` that the server itself permits: those it does not exclude, or
  // under keepAccelerator only its current one, if it has one. Exclusions of its class are not
  // looked at.
  [[nodiscard]] std::vector<std::string> candidate_accelerators(
      const std::vector<std::string>& accelerators) const;
  // Calculates the allocation on each candidate accelerator that its class permits, value =
  // transition penalty from the current allocation. Replaces earlier results. The empty allocation
  // is stored under the name "".
  void calculate(const System& system, const std::vector<std::string>& accelerators);

  // All calculated allocations by accelerator name.
  [[nodiscard]] const std::map<std::string, Allocation>& allocations() const noexcept {
    return allocations_;
  }
  [[nodiscard]] const Allocation* allocation() const noexcept {
    return allocation_ ? &*allocation_ : nullptr;
  }
  // Also updates the desired allocation of the spec, load included.
  void set_allocation(Allocation allocation);
  void remove_allocation();
  [[nodiscard]] const Allocation& current_allocation() const noexcept { return current_; }
  // Sets the current allocation; the load of the server stays.
  void set_current_allocation(const Allocation& allocation);
  // The desired allocation becomes the current one, its load too. Without one the current
  // allocation becomes empty and the load stays.
  void apply_desired_allocation();
  // True if the allocation cannot carry the present load within targets; false without one.
  [[nodiscard]] bool saturated() const noexcept;

  [[nodiscard]] const ServerSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] std::string to_string() const;

 private:
  ServerSpec spec_;
  std::string class_name_;
  std::map<std::string, Allocation> allocations_;
  std::optional<Allocation> allocation_;
  Allocation current_;
};

}  // namespace tonnage
