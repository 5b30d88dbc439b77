// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Entities of a System by name, and totals over its servers. No planning happens here.
#include "tonnage/core/system.hpp"

#include <fmt/format.h>

#include <limits>

#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

template <class Map>
auto* find_in(Map& map, const std::string& name) {
  const auto it = map.find(name);
  return it == map.end() ? nullptr : &it->second;
}

template <class Map>
void remove_from(Map& map, const std::string& name, const char* what) {
  if (map.erase(name) == 0) {
    throw Error(ErrorCode::kNotFound, fmt::format("{} \"{}\" is unknown", what, name));
  }
}

// a + b * c for counts >= 0, at most the largest count: callers may set any numbers.
std::int64_t saturating_multiply_add(std::int64_t a, std::int64_t b, std::int64_t c) {
  std::int64_t r;
  const bool overflow = __builtin_mul_overflow(b, c, &r) || __builtin_add_overflow(a, r, &r);
  return overflow ? std::numeric_limits<std::int64_t>::max() : r;
}

}  // namespace

OptimizerSpec System::set_from_spec(const SystemSpec& spec) {
  set_accelerators(spec.accelerators);
  set_capacities(spec.capacities);
  set_models(spec.models);
  set_service_classes(spec.service_classes);
  set_servers(spec.servers);
  return spec.optimizer;
}

SystemSpec System::spec(const OptimizerSpec& optimizer) const {
  SystemSpec s;
  for (const auto& [name, accelerator] : accelerators_)
    s.accelerators.push_back(accelerator.spec());
  for (const auto& [type, count] : capacities_) s.capacities.push_back({type, count});
  for (const auto& [name, model] : models_) {
    for (ModelPerfSpec& row : model.spec()) s.models.push_back(std::move(row));
  }
  for (const auto& [name, service_class] : service_classes_) {
    s.service_classes.push_back(service_class.spec());
  }
  for (const auto& [name, server] : servers_) s.servers.push_back(server.spec());
  s.optimizer = optimizer;
  return s;
}

void System::set_accelerator(const AcceleratorSpec& spec) {
  accelerators_.insert_or_assign(spec.name, Accelerator(spec));
}
void System::set_accelerators(const std::vector<AcceleratorSpec>& specs) {
  for (const AcceleratorSpec& spec : specs) set_accelerator(spec);
}
void System::remove_accelerator(const std::string& name) {
  remove_from(accelerators_, name, "accelerator");
}
const Accelerator* System::find_accelerator(const std::string& name) const {
  return find_in(accelerators_, name);
}

Model& System::add_model(const std::string& name) {
  return models_.try_emplace(name, name).first->second;
}
void System::set_model_perf(const ModelPerfSpec& spec) { add_model(spec.name).set_perf(spec); }
void System::set_models(const std::vector<ModelPerfSpec>& specs) {
  for (const ModelPerfSpec& spec : specs) set_model_perf(spec);
}
void System::remove_model(const std::string& name) { remove_from(models_, name, "model"); }
const Model* System::find_model(const std::string& name) const { return find_in(models_, name); }
Model* System::find_model(const std::string& name) { return find_in(models_, name); }

void System::set_service_class(const ServiceClassSpec& spec) {
  service_classes_.insert_or_assign(spec.name, ServiceClass(spec));
}
void System::set_service_classes(const std::vector<ServiceClassSpec>& specs) {
  for (const ServiceClassSpec& spec : specs) set_service_class(spec);
}
void System::remove_service_class(const std::string& name) {
  remove_from(service_classes_, name, "service class");
}
const ServiceClass* System::find_service_class(const std::string& name) const {
  return find_in(service_classes_, name);
}
ServiceClass* System::find_service_class(const std::string& name) {
  return find_in(service_classes_, name);
}

void System::set_server(const ServerSpec& spec) {
  servers_.insert_or_assign(spec.name, Server(spec));
}
void System::set_servers(const std::vector<ServerSpec>& specs) {
  for (const ServerSpec& spec : specs) set_server(spec);
}
void System::remove_server(const std::string& name) { remove_from(servers_, name, "server"); }
const Server* System::find_server(const std::string& name) const { return find_in(servers_, name); }
Server* System::find_server(const std::string& name) { return find_in(servers_, name); }

void System::set_capacity(const CapacitySpec& spec) {
  capacities_.insert_or_assign(spec.type, spec.count);
}
void System::set_capacities(const std::vector<CapacitySpec>& specs) {
  for (const CapacitySpec& spec : specs) set_capacity(spec);
}
void System::remove_capacity(const std::string& type) {
  remove_from(capacities_, type, "capacity of type");
}
std::optional<std::int64_t> System::capacity(const std::string& type) const {
  const auto it = capacities_.find(type);
  if (it == capacities_.end()) return std::nullopt;
  return it->second;
}

void System::calculate() {
  std::vector<std::string> names;
  names.reserve(accelerators_.size());
  for (const auto& [name, unused] : accelerators_) names.push_back(name);
  for (auto& [name, server] : servers_) server.calculate(*this, names);
}

std::map<std::string, AllocationByType> System::allocate_by_type() const {
  std::map<std::string, AllocationByType> totals;
  for (const auto& [name, server] : servers_) {
    const Allocation* allocation = server.allocation();
    if (allocation == nullptr) continue;
    const Accelerator* accelerator = find_accelerator(allocation->accelerator());
    const Model* model = find_model(server.model());
    if (accelerator == nullptr || model == nullptr) continue;
    AllocationByType& total = totals[accelerator->type()];
    total.type = accelerator->type();
    total.limit = capacity(accelerator->type()).value_or(0);
    const std::int64_t cards_per_replica = saturating_multiply_add(
        0, model->num_instances(accelerator->name()), accelerator->multiplicity());
    total.cards =
        saturating_multiply_add(total.cards, allocation->num_replicas(), cards_per_replica);
    total.cost += allocation->cost_cents_per_hour();
  }
  return totals;
}

std::map<std::string, AllocationSpec> System::generate_solution() const {
  std::map<std::string, AllocationSpec> solution;
  for (const auto& [name, server] : servers_) {
    if (server.allocation() != nullptr) {
      solution.emplace(name, server.allocation()->to_spec(server.load()));
    }
  }
  return solution;
}

std::string System::to_string() const {
  std::string text;
  double total_cost = 0;
  for (const auto& [name, server] : servers_) {
    const ServiceClass* service_class = find_service_class(server.class_name());
    const Target* target =
        service_class == nullptr ? nullptr : service_class->find_target(server.model());
    text += fmt::format("{}; targets: {}\n", server.to_string(),
                        target == nullptr ? std::string("none") : target->to_string());
    if (server.allocation() != nullptr) total_cost += server.allocation()->cost_cents_per_hour();
  }
  for (const auto& [type, total] : allocate_by_type()) text += total.to_string() + "\n";
  text += fmt::format("total cost: {:.2f} cents/hour\n", total_cost);
  return text;
}

}  // namespace tonnage
