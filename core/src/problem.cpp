// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Builds the rows of a Problem from a System: indices by name, reasons why a server cannot be
// planned, and the lines of every server. What a line's answer is worth is in line.cpp.
#include "tonnage/core/problem.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <unordered_map>

#include "tonnage/core/system.hpp"

namespace tonnage {
namespace {

bool valid_amount(double x) { return x >= 0 && x <= kMaxAmount; }
bool valid_percentile(double x) {
  return x == 0 || (x >= kMinTtftPercentile && x <= kMaxTtftPercentile);
}
bool valid_drop(double x) { return x == 0 || (x >= kMinDropTarget && x < 1); }

template <class Map>
std::int32_t index_of(const Map& map, const std::string& name) {
  const auto it = map.find(name);
  if (it == map.end()) return kForeignAccelerator;
  return static_cast<std::int32_t>(std::distance(map.begin(), it));
}

// Position of each name in the map: std::map has no rank query.
template <class Map>
std::unordered_map<std::string_view, std::int32_t> ranks(const Map& map) {
  std::unordered_map<std::string_view, std::int32_t> r;
  r.reserve(map.size());
  std::int32_t i = 0;
  for (const auto& [name, unused] : map) r.emplace(name, i++);
  return r;
}

// Why a server cannot be planned, if so, and its target. Computed apart from the row, so that many
// servers share the lookups.
Reason find_reason(const System& system, const Server& server, const Target*& target) {
  const ServerSpec& s = server.spec();
  const LoadSpec& load = server.load();
  const bool valid =
      valid_amount(load.arrival_rate_per_min) &&
      load.arrival_rate_per_min <= kMaxArrivalRatePerMin && load.avg_in_tokens >= 0 &&
      load.avg_in_tokens <= kMaxCount && load.avg_out_tokens >= 0 &&
      load.avg_out_tokens <= kMaxCount && s.min_num_replicas >= 0 &&
      s.min_num_replicas <= kMaxReplicas && s.max_num_replicas >= 0 && s.max_batch_size >= 0 &&
      s.max_batch_size <= kMaxBatchSize && s.max_queue_size >= 0 &&
      s.max_queue_size <= kMaxQueueSize && s.max_num_tokens >= 0 && s.max_num_tokens <= kMaxCount &&
      s.current_alloc.num_replicas >= 0 && valid_amount(s.current_alloc.cost_cents_per_hour);
  if (!valid) return Reason::kInvalidServer;
  const ServiceClass* service_class = system.find_service_class(server.class_name());
  if (service_class == nullptr) return Reason::kUnknownClass;
  if (system.find_model(server.model()) == nullptr) return Reason::kUnknownModel;
  target = service_class->find_target(server.model());
  if (target == nullptr) return Reason::kNoTarget;
  if (!valid_amount(target->itl_ms) || !valid_amount(target->ttft_ms) ||
      !valid_amount(target->tps) || !valid_percentile(target->ttft_percentile) ||
      !valid_amount(target->e2e_ms) || !valid_drop(target->drop)) {
    return Reason::kInvalidServer;
  }
  return Reason::kNone;
}

// Rows [first, last) of Problem::perfs.
struct PerfRange {
  std::int32_t first = 0;
  std::int32_t last = 0;
};

ServerRow server_row(const System& system, const Server& server, std::int32_t current) {
  const ServerSpec& s = server.spec();
  const LoadSpec& load = server.load();
  ServerRow row{};
  row.priority = server.priority(system);
  row.current_accelerator = current;
  row.current_cost = server.current_allocation().cost_cents_per_hour();
  row.current_replicas = server.current_allocation().num_replicas();
  row.keeps_accelerator =
      s.keep_accelerator && !s.current_alloc.accelerator.empty() && s.current_alloc.parts.empty();
  const Target* target = nullptr;
  row.reason = find_reason(system, server, target);
  if (row.reason != Reason::kNone) {
    row.load_kind = LoadKind::kUnplannable;
    return row;
  }
  row.in_tokens = static_cast<double>(load.avg_in_tokens);
  row.out_tokens = static_cast<double>(load.avg_out_tokens);
  row.token_budget = static_cast<double>(s.max_num_tokens);
  row.targets = {target->itl_ms, target->ttft_ms, target->ttft_percentile, target->e2e_ms,
                 target->drop};
  row.has_tps_target = target->tps > 0;
  row.min_replicas = s.min_num_replicas;
  row.max_replicas = s.max_num_replicas;
  row.max_batch = s.max_batch_size;
  row.max_queue = s.max_queue_size;
  const bool idle = load.arrival_rate_per_min == 0 || load.avg_out_tokens == 0;
  row.load_kind = !idle                    ? LoadKind::kLoaded
                  : s.min_num_replicas > 0 ? LoadKind::kIdle
                                           : LoadKind::kEmpty;
  if (row.load_kind == LoadKind::kLoaded) {
    const double rate = row.has_tps_target ? target->tps / row.out_tokens / kMsPerSecond
                                           : load.arrival_rate_per_min / kMsPerMinute;
    row.total_rate_per_ms = std::max(rate, kLeastRatePerMs);
  }
  return row;
}

std::int32_t current_index(std::int32_t found, const Server& server) {
  return server.spec().current_alloc.accelerator.empty() ? kNoAccelerator : found;
}

PerfRow perf_row(const ModelPerfSpec& p, const Accelerator& a, std::int32_t accelerator,
                 std::int32_t type) {
  PerfRow row{};
  row.alpha_ms = p.perf_parms.alpha_ms;
  row.beta_ms = p.perf_parms.beta_ms;
  row.gamma_ms = p.perf_parms.gamma_ms;
  row.token_budget =
      static_cast<double>(p.max_num_tokens > 0 ? p.max_num_tokens : kDefaultMaxNumTokens);
  row.instances_per_replica = std::max<std::int64_t>(1, p.acc_count);
  row.cost_per_replica = a.cost_cents_per_hour() * static_cast<double>(row.instances_per_replica);
  row.max_batch = p.max_batch_size;
  row.at_tokens = p.at_tokens;
  row.accelerator = accelerator;
  row.type = type;
  row.valid = valid_amount(row.alpha_ms) && valid_amount(row.beta_ms) &&
              valid_amount(row.gamma_ms) && valid_amount(a.cost_cents_per_hour()) &&
              p.acc_count >= 0 && p.acc_count <= kMaxCount && p.max_batch_size >= 0 &&
              p.max_batch_size <= kMaxCount && p.at_tokens >= 0 && p.at_tokens <= kMaxCount &&
              a.multiplicity() >= 1 && row.instances_per_replica <= kMaxCount / a.multiplicity() &&
              p.max_num_tokens >= 0 && p.max_num_tokens <= kMaxCount;
  row.cards_per_replica = row.valid ? row.instances_per_replica * a.multiplicity() : 0;
  return row;
}

// Appends the rows of performance data to `p`; returns the range of each model.
std::unordered_map<std::string_view, PerfRange> add_perfs(
    const System& system, const std::unordered_map<std::string_view, std::int32_t>& accelerators,
    const std::unordered_map<std::string_view, std::int32_t>& types, Problem& p) {
  std::unordered_map<std::string_view, PerfRange> ranges;
  for (const auto& [model_name, model] : system.models()) {
    const auto first = static_cast<std::int32_t>(p.perfs.size());
    for (const auto& [acc, spec] : model.perfs()) {
      const Accelerator* a = system.find_accelerator(acc);
      if (a == nullptr) continue;
      p.perfs.push_back(perf_row(spec, *a, accelerators.at(acc), types.at(a->type())));
    }
    ranges.emplace(model_name, PerfRange{first, static_cast<std::int32_t>(p.perfs.size())});
  }
  return ranges;
}

// The servers that combine accelerators now.
std::vector<CurrentMix> find_current_mixes(
    const std::vector<const Server*>& servers,
    const std::unordered_map<std::string_view, std::int32_t>& accelerators) {
  std::vector<CurrentMix> mixes;
  for (std::size_t s = 0; s < servers.size(); ++s) {
    const std::vector<AllocationPart>& parts = servers[s]->spec().current_alloc.parts;
    if (parts.empty()) continue;
    CurrentMix mix{static_cast<std::int64_t>(s), {}};
    for (const AllocationPart& part : parts) {
      const auto found = accelerators.find(part.accelerator);
      mix.parts.emplace_back(found == accelerators.end() ? kForeignAccelerator : found->second,
                             part.num_replicas);
    }
    std::sort(mix.parts.begin(), mix.parts.end());
    mixes.push_back(std::move(mix));
  }
  return mixes;
}

// Whether a server may not use some accelerator.
bool excludes_any(const System& system, const Server& server) {
  const ServerSpec& spec = server.spec();
  if (!spec.excluded_accelerators.empty()) return true;
  if (spec.keep_accelerator && !spec.current_alloc.parts.empty()) return true;
  const ServiceClass* service_class = system.find_service_class(server.class_name());
  return service_class != nullptr && !service_class->excluded_accelerators().empty();
}

}  // namespace

ServerRow make_server_row(const System& system, const Server& server) {
  const std::string& current = server.spec().current_alloc.accelerator;
  return server_row(system, server,
                    current_index(index_of(system.accelerators(), current), server));
}

PerfRow make_perf_row(const System& system, const ModelPerfSpec& spec) {
  const Accelerator* a = system.find_accelerator(spec.acc);
  if (a == nullptr) return {};
  return perf_row(spec, *a, index_of(system.accelerators(), spec.acc), kNoAccelerator);
}

Problem build_problem(const System& system, const ParallelFor& parallel_for) {
  Problem p;
  const auto accelerator_rank = ranks(system.accelerators());
  std::map<std::string, std::int64_t> types(system.capacities().begin(), system.capacities().end());
  for (const auto& [name, a] : system.accelerators()) {
    p.accelerators.push_back(a);
    types.emplace(a.type(), 0);
  }
  for (const auto& [type, count] : types) {
    p.type_names.push_back(type);
    p.type_capacity.push_back(count);
    p.type_has_capacity.push_back(system.capacity(type).has_value());
  }
  const auto type_rank = ranks(types);

  const auto perf_range = add_perfs(system, accelerator_rank, type_rank, p);

  const auto count = static_cast<std::int64_t>(system.servers().size());
  const auto in_parallel = [&](const std::function<void(std::int64_t, std::int64_t)>& body) {
    parallel_for ? parallel_for(count, body) : body(0, count);
  };
  std::vector<const Server*> servers;
  servers.reserve(system.servers().size());
  for (const auto& [name, server] : system.servers()) servers.push_back(&server);
  p.servers.resize(servers.size());
  p.server_names.resize(servers.size());
  p.first_line.assign(servers.size() + 1, 0);

  // The rows of performance data of each server, before exclusions.
  std::vector<PerfRange> ranges(servers.size());
  const auto excluded = [&](std::int64_t s, std::int32_t perf) {
    return servers[s]->excludes(system, p.accelerators[p.perfs[perf].accelerator].name());
  };
  in_parallel([&](std::int64_t first, std::int64_t last) {
    for (std::int64_t s = first; s < last; ++s) {
      const Server& server = *servers[s];
      const auto found = accelerator_rank.find(server.spec().current_alloc.accelerator);
      const std::int32_t current =
          found == accelerator_rank.end() ? kForeignAccelerator : found->second;
      p.server_names[s] = server.name();
      ServerRow& row = p.servers[s];
      row = server_row(system, server, current_index(current, server));
      if (row.load_kind == LoadKind::kUnplannable) continue;
      PerfRange& range = ranges[s];
      range = perf_range.at(server.model());
      if (row.keeps_accelerator) {
        const auto own = std::find_if(
            p.perfs.begin() + range.first, p.perfs.begin() + range.last,
            [&](const PerfRow& perf) { return perf.accelerator == row.current_accelerator; });
        range.first = static_cast<std::int32_t>(own - p.perfs.begin());
        range.last = std::min(range.last, range.first + 1);
      }
      p.first_line[s + 1] = range.last - range.first;
      if (!excludes_any(system, server)) continue;
      for (std::int32_t perf = range.first; perf < range.last; ++perf) {
        p.first_line[s + 1] -= excluded(s, perf) ? 1 : 0;
      }
    }
  });
  p.current_mixes = find_current_mixes(servers, accelerator_rank);
  std::partial_sum(p.first_line.begin(), p.first_line.end(), p.first_line.begin());
  p.lines.resize(static_cast<std::size_t>(p.first_line.back()));
  in_parallel([&](std::int64_t first, std::int64_t last) {
    for (std::int64_t s = first; s < last; ++s) {
      LineRow* line = p.lines.data() + p.first_line[s];
      const std::int64_t all = ranges[s].last - ranges[s].first;
      const bool some_excluded = p.first_line[s + 1] - p.first_line[s] < all;
      for (std::int32_t perf = ranges[s].first; perf < ranges[s].last; ++perf) {
        if (some_excluded && excluded(s, perf)) continue;
        *line++ = {static_cast<std::int32_t>(s), perf};
      }
    }
  });
  return p;
}

}  // namespace tonnage
