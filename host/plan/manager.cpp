// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The Manager: plans a System and applies the plan to its servers.
#include "host/base/stopwatch.hpp"
#include "tonnage/host/planner.hpp"

namespace tonnage {

const Plan& Manager::optimize(const PlannerOptions& options) {
  const Stopwatch watch;
  plan_ = make_plan(*system_, optimizer_, options);
  for (const UnallocatedServer& left : plan_.unallocated) {
    system_->find_server(left.server)->remove_allocation();
  }
  for (const PlannedServer& planned : plan_.allocations) {
    Allocation allocation = Allocation::from_spec(planned.allocation);
    allocation.set_value(planned.value);
    allocation.set_metrics(planned.metrics);
    system_->find_server(planned.server)->set_allocation(std::move(allocation));
  }
  solution_time_s_ = watch.seconds();
  return plan_;
}

std::map<std::string, AllocationDiff> Manager::diffs() const {
  std::map<std::string, AllocationDiff> r;
  for (const auto& [name, server] : system_->servers()) {
    const Allocation& current = server.current_allocation();
    const auto diff = AllocationDiff::between(current.accelerator().empty() ? nullptr : &current,
                                              server.allocation());
    if (diff) r.emplace(name, *diff);
  }
  return r;
}

std::vector<std::string> Manager::unallocated() const {
  std::vector<std::string> names;
  names.reserve(plan_.unallocated.size());
  for (const UnallocatedServer& left : plan_.unallocated) names.push_back(left.server);
  return names;
}

}  // namespace tonnage
