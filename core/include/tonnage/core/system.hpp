// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The System: accelerators, models, service classes, servers and capacities, by name. Owns: all of
// these entities. There is no global system; functions that need one take it as an argument.
// Concurrent reads are safe while no thread writes.
//
// Example:
//   tonnage::System system;
//   system.set_accelerator({"H100", "H100", 1, 80, 3350, {}, 400});  // 400 cents/hour
//   system.set_capacity({"H100", 16});
//   system.set_model_perf({"llama", "H100", 1, 64, 512, {12.0, 0.02, 2e-5}});
//   system.set_service_class({"Premium", 1, {{"llama", 40, 500}}});  // ITL 40 ms, TTFT 500 ms
//   tonnage::ServerSpec chat;
//   chat.name = "chat";
//   chat.class_name = "Premium";
//   chat.model = "llama";
//   chat.current_alloc.load = {600, 0, 128, 512};  // requests/min; tokens in and out
//   system.set_server(chat);
//   system.calculate();
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tonnage/core/accelerator.hpp"
#include "tonnage/core/allocation.hpp"
#include "tonnage/core/model.hpp"
#include "tonnage/core/server.hpp"
#include "tonnage/core/service_class.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

class System {
 public:
  System() = default;
  explicit System(const SystemSpec& spec) { set_from_spec(spec); }

  // Sets or adds everything in `spec`, replacing what exists under the same name; returns the
  // optimizer spec.
  OptimizerSpec set_from_spec(const SystemSpec& spec);
  // The whole system as a spec, each list in order of names; `optimizer` is passed through.
  [[nodiscard]] SystemSpec spec(const OptimizerSpec& optimizer = {}) const;

  void set_accelerator(const AcceleratorSpec& spec);
  void set_accelerators(const std::vector<AcceleratorSpec>& specs);
  void remove_accelerator(const std::string& name);  // throws Error (kNotFound)
  [[nodiscard]] const Accelerator* find_accelerator(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, Accelerator>& accelerators() const noexcept {
    return accelerators_;
  }

  // Adds an empty model, or returns the one of that name.
  Model& add_model(const std::string& name);
  void set_model_perf(const ModelPerfSpec& spec);
  void set_models(const std::vector<ModelPerfSpec>& specs);
  void remove_model(const std::string& name);  // throws Error (kNotFound)
  [[nodiscard]] const Model* find_model(const std::string& name) const;
  [[nodiscard]] Model* find_model(const std::string& name);
  [[nodiscard]] const std::map<std::string, Model>& models() const noexcept { return models_; }

  void set_service_class(const ServiceClassSpec& spec);
  void set_service_classes(const std::vector<ServiceClassSpec>& specs);
  void remove_service_class(const std::string& name);  // throws Error (kNotFound)
  [[nodiscard]] const ServiceClass* find_service_class(const std::string& name) const;
  [[nodiscard]] ServiceClass* find_service_class(const std::string& name);
  [[nodiscard]] const std::map<std::string, ServiceClass>& service_classes() const noexcept {
    return service_classes_;
  }

  void set_server(const ServerSpec& spec);
  void set_servers(const std::vector<ServerSpec>& specs);
  void remove_server(const std::string& name);  // throws Error (kNotFound)
  [[nodiscard]] const Server* find_server(const std::string& name) const;
  [[nodiscard]] Server* find_server(const std::string& name);
  [[nodiscard]] const std::map<std::string, Server>& servers() const noexcept { return servers_; }

  void set_capacity(const CapacitySpec& spec);
  void set_capacities(const std::vector<CapacitySpec>& specs);
  void remove_capacity(const std::string& type);  // throws Error (kNotFound)
  // Cards available of a type; absent when unknown.
  [[nodiscard]] std::optional<std::int64_t> capacity(const std::string& type) const;
  [[nodiscard]] const std::map<std::string, std::int64_t>& capacities() const noexcept {
    return capacities_;
  }

  // Calculates the candidate allocations of every server on every accelerator.
  void calculate();
  // Cards and cost by type over the allocations that servers hold.
  [[nodiscard]] std::map<std::string, AllocationByType> allocate_by_type() const;
  // The allocation of every server that holds one, with its load.
  [[nodiscard]] std::map<std::string, AllocationSpec> generate_solution() const;

  // For people: one line per server with its targets and allocation, totals by type, total cost.
  [[nodiscard]] std::string to_string() const;

 private:
  std::map<std::string, Accelerator> accelerators_;
  std::map<std::string, Model> models_;
  std::map<std::string, ServiceClass> service_classes_;
  std::map<std::string, Server> servers_;
  std::map<std::string, std::int64_t> capacities_;
};

}  // namespace tonnage
