// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A service class: a priority, SLO targets per model, and excluded accelerators. Owns: the clamping
// of priorities and the lookup of targets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tonnage/core/spec.hpp"

namespace tonnage {

// SLO targets for one model; 0: no target.
struct Target {
  double itl_ms = 0;
  double ttft_ms = 0;
  double tps = 0;
  double ttft_percentile = 0;  // ttft_ms binds this percentile; 0: the average
  double e2e_ms = 0;           // average response time
  double drop = 0;             // drop probability

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Target&, const Target&) = default;
};

class ServiceClass {
 public:
  // A priority outside kHighestPriority..kLowestPriority becomes kLowestPriority.
  ServiceClass(std::string name, std::int64_t priority);
  explicit ServiceClass(const ServiceClassSpec& spec);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int priority() const noexcept { return priority_; }

  // Adds or replaces the target for spec.model and returns it.
  const Target& set_target(const ModelTargetSpec& spec);
  // Target for a model; nullptr if there is none.
  [[nodiscard]] const Target* find_target(const std::string& model) const;
  // Throws Error (kNotFound) if there is no target for that model.
  void remove_target(const std::string& model);
  // Takes over the targets that `spec` names and keeps the others; exclusions become those of
  // `spec`. Throws Error (kInvalidInput), changing nothing, if name or priority differ.
  void update(const ServiceClassSpec& spec);

  [[nodiscard]] const std::map<std::string, Target>& targets() const noexcept { return targets_; }
  // Whether its servers may not use an accelerator.
  [[nodiscard]] bool excludes(const std::string& accelerator) const;
  [[nodiscard]] const std::vector<std::string>& excluded_accelerators() const noexcept {
    return excluded_accelerators_;
  }
  [[nodiscard]] ServiceClassSpec spec() const;
  [[nodiscard]] std::string to_string() const;

 private:
  std::string name_;
  int priority_;
  std::map<std::string, Target> targets_;
  std::vector<std::string> excluded_accelerators_;
};

}  // namespace tonnage
