// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Systems through the C interface: reading them and changing them between plans.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "host/capi/src/handles.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::capi {
namespace {

constexpr std::size_t kProblemsShown = 20;

std::string without_last_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::unique_ptr<tonnage_system> to_handle(const SpecReadResult& read) {
  std::string problems = without_last_newline(read.diagnostics.to_text(kProblemsShown));
  if (!read.ok()) refuse(problems);
  auto handle = std::make_unique<tonnage_system>();
  handle->optimizer = handle->system.set_from_spec(read.spec);
  handle->warnings = std::move(problems);
  return handle;
}

SpecReadResult read_path(std::string path) {
  // "-" is a file like any other here: the standard input belongs to the program, not to us.
  if (path == "-") path = "./-";
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_system(path);
  return read_system_from_string(read_text(path), path);
}

Server& find_server(tonnage_system* system, const char* name) {
  const std::string wanted = require_text(name, "server");
  Server* server = require(system, "system").system.find_server(wanted);
  if (server == nullptr) {
    throw Error(ErrorCode::kNotFound, fmt::format("server \"{}\" is unknown", wanted));
  }
  return *server;
}

template <class Number>
Number in_range(Number value, Number most, const char* name) {
  // Written so that what is not a number is refused, too.
  if (!(value >= 0 && value <= most)) {
    refuse(fmt::format("{} is {}, expected 0 to {}", name, value, most));
  }
  return value;
}

bool knows_type(const System& system, const std::string& type) {
  if (system.capacity(type)) return true;
  for (const auto& [name, accelerator] : system.accelerators()) {
    if (accelerator.type() == type) return true;
  }
  return false;
}

}  // namespace
}  // namespace tonnage::capi

using namespace tonnage;
using namespace tonnage::capi;

tonnage_status tonnage_system_from_json(const char* text, size_t length, tonnage_system** system,
                                        tonnage_error* error) {
  if (system != nullptr) *system = nullptr;
  return guarded(error, [&] {
    require(system, "system");
    require(text, "text");
    *system = to_handle(read_system_from_string({text, length}, "system")).release();
  });
}

tonnage_status tonnage_system_from_path(const char* path, tonnage_system** system,
                                        tonnage_error* error) {
  if (system != nullptr) *system = nullptr;
  return guarded(error, [&] {
    require(system, "system");
    *system = to_handle(read_path(require_text(path, "path"))).release();
  });
}

void tonnage_system_free(tonnage_system* system) { delete system; }

tonnage_status tonnage_system_warnings(const tonnage_system* system, const char** text,
                                       tonnage_error* error) {
  return guarded(error,
                 [&] { require(text, "text") = require(system, "system").warnings.c_str(); });
}

tonnage_status tonnage_system_get_counts(const tonnage_system* system,
                                         tonnage_system_counts* counts, tonnage_error* error) {
  return guarded(error, [&] {
    const System& s = require(system, "system").system;
    tonnage_system_counts r{};
    r.num_accelerators = s.accelerators().size();
    r.num_models = s.models().size();
    r.num_service_classes = s.service_classes().size();
    r.num_servers = s.servers().size();
    r.num_capacities = s.capacities().size();
    give(r, counts, "counts");
  });
}

tonnage_status tonnage_system_set_capacity(tonnage_system* system, const char* type,
                                           int64_t num_cards, tonnage_error* error) {
  return guarded(error, [&] {
    System& s = require(system, "system").system;
    const std::string name = require_text(type, "type");
    in_range(num_cards, kMaxCount, "num_cards");
    if (!knows_type(s, name)) {
      throw Error(ErrorCode::kNotFound, fmt::format("accelerator type \"{}\" is unknown", name));
    }
    s.set_capacity({name, num_cards});
  });
}

tonnage_status tonnage_system_set_load(tonnage_system* system, const char* server,
                                       double arrival_rate_per_min, int64_t avg_in_tokens,
                                       int64_t avg_out_tokens, tonnage_error* error) {
  return guarded(error, [&] {
    Server& s = find_server(system, server);
    LoadSpec load = s.load();
    load.arrival_rate_per_min =
        in_range(arrival_rate_per_min, kMaxArrivalRatePerMin, "arrival_rate_per_min");
    load.avg_in_tokens = in_range(avg_in_tokens, kMaxCount, "avg_in_tokens");
    load.avg_out_tokens = in_range(avg_out_tokens, kMaxCount, "avg_out_tokens");
    s.set_load(load);
  });
}

tonnage_status tonnage_system_set_current_allocation(tonnage_system* system, const char* server,
                                                     const char* accelerator, int64_t num_replicas,
                                                     int64_t max_batch, double cost_cents_per_hour,
                                                     tonnage_error* error) {
  return guarded(error, [&] {
    Server& s = find_server(system, server);
    AllocationSpec spec;
    spec.accelerator = accelerator == nullptr ? "" : accelerator;
    spec.num_replicas = in_range(num_replicas, kMaxReplicas, "num_replicas");
    spec.max_batch = in_range(max_batch, kMaxBatchSize, "max_batch");
    spec.cost_cents_per_hour = in_range(cost_cents_per_hour, kMaxAmount, "cost_cents_per_hour");
    if (spec.accelerator.empty() && spec != AllocationSpec{}) {
      refuse("an allocation without accelerator has no replicas, batch size or cost");
    }
    s.set_current_allocation(Allocation::from_spec(spec));
  });
}

tonnage_status tonnage_system_set_server(tonnage_system* system, const tonnage_server* server,
                                         tonnage_error* error) {
  return guarded(error, [&] {
    System& s = require(system, "system").system;
    const tonnage_server given = take(server, "server");
    const std::string name = require_text(given.name, "server.name");
    if (name.empty()) refuse("server.name is empty");
    const Server* existing = s.find_server(name);
    ServerSpec spec = existing == nullptr ? ServerSpec{} : existing->spec();
    spec.name = name;
    spec.class_name = given.service_class == nullptr ? "" : given.service_class;
    spec.model = require_text(given.model, "server.model");
    spec.keep_accelerator = given.keep_accelerator != 0;
    spec.min_num_replicas =
        in_range(given.min_num_replicas, kMaxReplicas, "server.min_num_replicas");
    spec.max_num_replicas =
        in_range(given.max_num_replicas, kMaxReplicas, "server.max_num_replicas");
    spec.max_batch_size = in_range(given.max_batch_size, kMaxBatchSize, "server.max_batch_size");
    spec.max_queue_size = in_range(given.max_queue_size, kMaxQueueSize, "server.max_queue_size");
    spec.max_num_tokens = in_range(given.max_num_tokens, kMaxCount, "server.max_num_tokens");
    if (spec.max_num_replicas > 0 && spec.max_num_replicas < spec.min_num_replicas) {
      refuse("server.max_num_replicas is below server.min_num_replicas");
    }
    s.set_server(spec);
  });
}

tonnage_status tonnage_system_remove_server(tonnage_system* system, const char* server,
                                            tonnage_error* error) {
  return guarded(error, [&] {
    require(system, "system").system.remove_server(require_text(server, "server"));
  });
}

tonnage_status tonnage_system_apply_plan(tonnage_system* system, const tonnage_plan* plan,
                                         tonnage_error* error) {
  return guarded(error, [&] {
    const Plan& p = require(plan, "plan").plan;
    // On a copy, so that running out of memory half-way changes nothing.
    System changed = require(system, "system").system;
    for (const UnallocatedServer& left : p.unallocated) {
      Server* server = changed.find_server(left.server);
      if (server != nullptr) server->set_current_allocation({});
    }
    for (const PlannedServer& planned : p.allocations) {
      Server* server = changed.find_server(planned.server);
      if (server != nullptr) {
        server->set_current_allocation(Allocation::from_spec(planned.allocation));
      }
    }
    system->system = std::move(changed);
  });
}
