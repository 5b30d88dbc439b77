// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans through the C interface: making them and reading them.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "host/capi/src/handles.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage::capi {
namespace {

Solver to_solver(std::int32_t solver) {
  switch (solver) {
    case TONNAGE_SOLVER_AUTO:
      return Solver::kAuto;
    case TONNAGE_SOLVER_UNLIMITED:
      return Solver::kUnlimited;
    case TONNAGE_SOLVER_GREEDY:
      return Solver::kGreedy;
    case TONNAGE_SOLVER_PRICE:
      return Solver::kPrice;
    case TONNAGE_SOLVER_MILP:
      return Solver::kMilp;
    default:
      refuse(fmt::format("options.solver is {}, which is not a TONNAGE_SOLVER_ value", solver));
  }
}

BatchMode to_batch_mode(std::int32_t batch) {
  switch (batch) {
    case TONNAGE_BATCH_MAX:
      return BatchMode::kMax;
    case TONNAGE_BATCH_SEARCH:
      return BatchMode::kSearch;
    default:
      refuse(fmt::format("options.batch is {}, which is not a TONNAGE_BATCH_ value", batch));
  }
}

PlannerOptions to_planner_options(const tonnage_plan_options* options) {
  PlannerOptions r;
  if (options == nullptr) return r;
  const tonnage_plan_options given = take(options, "options");
  r.solver = to_solver(given.solver);
  r.batch = to_batch_mode(given.batch);
  if (given.backend != nullptr) r.backend = given.backend;
  if (given.num_threads < 0) refuse("options.num_threads is negative");
  r.num_threads = given.num_threads;
  if (given.progress != nullptr) {
    r.progress = [progress = given.progress, user = given.progress_user](
                     std::string_view phase, std::int64_t done, std::int64_t total) {
      if (progress(std::string(phase).c_str(), done, total, user) != 0) throw Stopped{};
    };
  }
  return r;
}

template <class T>
const T& at(const std::vector<T>& list, std::size_t index, const char* what) {
  if (index >= list.size()) {
    throw Error(ErrorCode::kNotFound, fmt::format("index {} of {} {}", index, list.size(), what));
  }
  return list[index];
}

void give_allocation(const PlannedServer& planned, tonnage_allocation* allocation) {
  tonnage_allocation r{};
  r.server = planned.server.c_str();
  r.accelerator = planned.allocation.accelerator.c_str();
  r.num_replicas = planned.allocation.num_replicas;
  r.replicas_needed = planned.replicas_needed;
  r.max_batch = planned.allocation.max_batch;
  r.partial = planned.partial ? 1 : 0;
  r.priority = planned.priority;
  r.cost = planned.allocation.cost_cents_per_hour;
  r.value = planned.value;
  r.itl_ms = planned.allocation.itl_average_ms;
  r.ttft_ms = planned.allocation.ttft_average_ms;
  r.rho = planned.metrics.rho;
  r.max_rpm = planned.metrics.max_rate_per_replica_per_ms * kMsPerMinute;
  r.drop_probability = planned.metrics.drop_probability;
  r.ttft_p50_ms = planned.metrics.ttft_p50_ms;
  r.ttft_p90_ms = planned.metrics.ttft_p90_ms;
  r.ttft_p95_ms = planned.metrics.ttft_p95_ms;
  r.ttft_p99_ms = planned.metrics.ttft_p99_ms;
  r.power_w = planned.metrics.power_w;
  r.response_ms = planned.metrics.response_ms;
  r.num_parts = planned.parts.size();
  give(r, allocation, "allocation");
}

}  // namespace
}  // namespace tonnage::capi

using namespace tonnage;
using namespace tonnage::capi;

tonnage_status tonnage_plan_make(const tonnage_system* system, const tonnage_plan_options* options,
                                 tonnage_plan** plan, tonnage_error* error) {
  if (plan != nullptr) *plan = nullptr;
  return guarded(error, [&] {
    require(plan, "plan");
    require(system, "system");
    auto made = std::make_unique<tonnage_plan>();
    made->plan = make_plan(system->system, system->optimizer, to_planner_options(options));
    *plan = made.release();
  });
}

void tonnage_plan_free(tonnage_plan* plan) { delete plan; }

tonnage_status tonnage_plan_get_summary(const tonnage_plan* plan, tonnage_plan_summary* summary,
                                        tonnage_error* error) {
  return guarded(error, [&] {
    const Plan& p = require(plan, "plan").plan;
    tonnage_plan_summary r{};
    r.num_allocations = p.allocations.size();
    r.num_unallocated = p.unallocated.size();
    r.num_types = p.summary.types.size();
    r.complete = p.complete() ? 1 : 0;
    r.total_cost = p.summary.total_cost;
    r.total_value = p.summary.total_value;
    r.num_candidates = p.summary.num_candidates;
    r.solver = p.summary.solver.c_str();
    r.backend = p.summary.backend.c_str();
    give(r, summary, "summary");
  });
}

tonnage_status tonnage_plan_get_allocation(const tonnage_plan* plan, size_t index,
                                           tonnage_allocation* allocation, tonnage_error* error) {
  return guarded(error, [&] {
    give_allocation(at(require(plan, "plan").plan.allocations, index, "allocations"), allocation);
  });
}

tonnage_status tonnage_plan_find_allocation(const tonnage_plan* plan, const char* server,
                                            tonnage_allocation* allocation, tonnage_error* error) {
  return guarded(error, [&] {
    const std::vector<PlannedServer>& list = require(plan, "plan").plan.allocations;
    const std::string name = require_text(server, "server");
    const auto it = std::lower_bound(
        list.begin(), list.end(), name,
        [](const PlannedServer& planned, const std::string& n) { return planned.server < n; });
    if (it == list.end() || it->server != name) {
      throw Error(ErrorCode::kNotFound, fmt::format("server \"{}\" has no allocation", name));
    }
    give_allocation(*it, allocation);
  });
}

tonnage_status tonnage_plan_get_part(const tonnage_plan* plan, size_t index, size_t part_index,
                                     tonnage_part* part, tonnage_error* error) {
  return guarded(error, [&] {
    const PlannedServer& planned = at(require(plan, "plan").plan.allocations, index, "allocations");
    const AllocationPart& of = at(planned.allocation.parts, part_index, "parts");
    tonnage_part r{};
    r.accelerator = of.accelerator.c_str();
    r.num_replicas = of.num_replicas;
    r.max_batch = of.max_batch;
    r.cost = of.cost_cents_per_hour;
    r.share = planned.parts[part_index].share;
    give(r, part, "part");
  });
}

tonnage_status tonnage_plan_get_unallocated(const tonnage_plan* plan, size_t index,
                                            tonnage_unallocated* unallocated,
                                            tonnage_error* error) {
  return guarded(error, [&] {
    const UnallocatedServer& left =
        at(require(plan, "plan").plan.unallocated, index, "unallocated servers");
    tonnage_unallocated r{};
    r.server = left.server.c_str();
    r.reason = left.detail.c_str();
    r.priority = left.priority;
    give(r, unallocated, "unallocated");
  });
}

tonnage_status tonnage_plan_get_type_usage(const tonnage_plan* plan, size_t index,
                                           tonnage_type_usage* usage, tonnage_error* error) {
  return guarded(error, [&] {
    const TypeUsage& type = at(require(plan, "plan").plan.summary.types, index, "types");
    tonnage_type_usage r{};
    r.type = type.type.c_str();
    r.used = type.used;
    r.limit = type.limit.value_or(-1);
    r.cost = type.cost;
    give(r, usage, "usage");
  });
}

tonnage_status tonnage_plan_to_json(tonnage_plan* plan, const char** text, tonnage_error* error) {
  return guarded(error, [&] {
    require(plan, "plan");
    require(text, "text");
    if (plan->json.empty()) plan->json = plan_to_json(plan->plan);
    *text = plan->json.c_str();
  });
}
