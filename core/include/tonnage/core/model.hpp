// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A model: performance data of one LLM, per accelerator. Owns: these rows and their lookup.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tonnage/core/spec.hpp"

namespace tonnage {

class Model {
 public:
  explicit Model(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Adds or replaces the data for spec.acc. Throws Error (kInvalidInput) if spec.name is another
  // model's.
  void set_perf(ModelPerfSpec spec);
  // Throws Error (kNotFound) if there is no data for that accelerator.
  void remove_perf(const std::string& accelerator);
  // Data for an accelerator; nullptr if there is none.
  [[nodiscard]] const ModelPerfSpec* find_perf(const std::string& accelerator) const;
  // Data for all accelerators, by accelerator name.
  [[nodiscard]] const std::map<std::string, ModelPerfSpec>& perfs() const noexcept {
    return perfs_;
  }
  // Accelerator instances per replica, at least 1; 0 if there is no data for that accelerator.
  [[nodiscard]] std::int64_t num_instances(const std::string& accelerator) const;

  // All data as spec rows, by accelerator name.
  [[nodiscard]] std::vector<ModelPerfSpec> spec() const;
  [[nodiscard]] std::string to_string() const;

 private:
  std::string name_;
  std::map<std::string, ModelPerfSpec> perfs_;
};

}  // namespace tonnage
