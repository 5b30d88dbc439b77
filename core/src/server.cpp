// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Candidate accelerators of a server, and its current, desired and calculated allocations.
#include "tonnage/core/server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/printable.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

Server::Server(ServerSpec spec)
    : spec_(std::move(spec)),
      class_name_(spec_.class_name.empty() ? std::string(kDefaultClassName) : spec_.class_name),
      current_(Allocation::from_spec(spec_.current_alloc)) {}

int Server::priority(const System& system) const {
  const ServiceClass* service_class = system.find_service_class(class_name_);
  return service_class == nullptr ? kLowestPriority : service_class->priority();
}

std::vector<std::string> Server::candidate_accelerators(
    const std::vector<std::string>& accelerators) const {
  const bool keeps = spec_.keep_accelerator && !current_.accelerator().empty();
  const std::vector<std::string>& excluded = spec_.excluded_accelerators;
  std::vector<std::string> allowed;
  for (const std::string& name : accelerators) {
    if (keeps && name != current_.accelerator()) continue;
    if (std::find(excluded.begin(), excluded.end(), name) != excluded.end()) continue;
    allowed.push_back(name);
  }
  return allowed;
}

bool Server::excludes(const System& system, const std::string& accelerator) const {
  const std::vector<std::string>& own = spec_.excluded_accelerators;
  if (std::find(own.begin(), own.end(), accelerator) != own.end()) return true;
  const std::vector<AllocationPart>& parts = spec_.current_alloc.parts;
  if (spec_.keep_accelerator && !parts.empty() &&
      std::none_of(parts.begin(), parts.end(),
                   [&](const AllocationPart& part) { return part.accelerator == accelerator; })) {
    return true;
  }
  const ServiceClass* service_class = system.find_service_class(class_name_);
  return service_class != nullptr && service_class->excludes(accelerator);
}

void Server::calculate(const System& system, const std::vector<std::string>& accelerators) {
  allocations_.clear();
  for (const std::string& name : candidate_accelerators(accelerators)) {
    if (excludes(system, name)) continue;
    auto candidate = Allocation::create(system, *this, name);
    if (!candidate) continue;
    candidate->set_value(current_.transition_penalty(*candidate));
    std::string key = candidate->accelerator();
    allocations_.insert_or_assign(std::move(key), std::move(*candidate));
  }
}

void Server::set_allocation(Allocation allocation) {
  spec_.desired_alloc = allocation.to_spec(load());
  allocation_ = std::move(allocation);
}

void Server::remove_allocation() {
  allocation_.reset();
  spec_.desired_alloc = {};
}

void Server::set_current_allocation(const Allocation& allocation) {
  spec_.current_alloc = allocation.to_spec(load());
  current_ = allocation;
}

void Server::apply_desired_allocation() {
  // Without a desired allocation there is no load to take over.
  const bool nothing_desired = !allocation_ && spec_.desired_alloc == AllocationSpec{};
  const LoadSpec new_load = nothing_desired ? load() : spec_.desired_alloc.load;
  spec_.current_alloc = spec_.desired_alloc;
  spec_.current_alloc.load = new_load;
  current_ = allocation_ ? *allocation_ : Allocation::from_spec(spec_.current_alloc);
}

bool Server::saturated() const noexcept {
  return allocation_ && allocation_->saturated(load().arrival_rate_per_min);
}

std::string Server::to_string() const {
  return printable(
      fmt::format("server {}: model {}, class {}, {} requests/min of {} + {} tokens, {}",
                  spec_.name, spec_.model, class_name_, load().arrival_rate_per_min,
                  load().avg_in_tokens, load().avg_out_tokens,
                  allocation_ ? allocation_->to_string() : std::string("no allocation")));
}

}  // namespace tonnage
