// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads the fields of every entry of a spec.
#include "io/src/spec/spec_sections.hpp"

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "io/src/results/text_rendering.hpp"
#include "tonnage/io/near_miss.hpp"

namespace tonnage {
namespace {

constexpr IntegerRule kCountRule{.max = kMaxCount};
constexpr IntegerRule kReplicasRule{.max = kMaxReplicas};
constexpr IntegerRule kBatchRule{.max = kMaxBatchSize};

PowerSpec read_power(const JsonValue& value, Report& report) {
  Fields fields(value, report);
  PowerSpec power;
  power.idle_w = fields.number("idle");
  power.full_w = fields.number("full");
  power.mid_power_w = fields.number("midPower");
  power.mid_util = fields.number("midUtil");
  fields.finish();
  // All zero: the power is not known. Any other figures form a curve, which needs a middle point.
  if (power != PowerSpec{} && !(power.mid_util > 0 && power.mid_util < 1)) {
    report.error(value.pointer(), "midUtil " + number_text(power.mid_util),
                 "midUtil above 0 and below 1, or no power figures at all");
  }
  return power;
}

AcceleratorSpec read_accelerator(Fields& fields) {
  AcceleratorSpec spec;
  spec.name = fields.name("name");
  spec.type = fields.name("type");
  spec.multiplicity =
      fields.integer("multiplicity", {.max = kMaxCount, .min = 1, .presence = Presence::kRequired});
  spec.mem_size_gb = fields.number("memSize");
  spec.mem_bw_gb_per_s = fields.number("memBW");
  if (const auto power = fields.object("power", Presence::kOptional)) {
    spec.power = read_power(*power, fields.report());
  }
  spec.cost_cents_per_hour = fields.number("cost", {.presence = Presence::kRequired});
  return spec;
}

CapacitySpec read_capacity(Fields& fields) {
  CapacitySpec spec;
  spec.type = fields.name("type");
  spec.count = fields.integer("count", {.max = kMaxCount, .presence = Presence::kRequired});
  return spec;
}

ModelPerfSpec read_model(Fields& fields) {
  ModelPerfSpec spec;
  spec.name = fields.name("name");
  spec.acc = fields.name("acc");
  spec.acc_count = fields.integer("accCount", kCountRule);
  spec.max_batch_size = fields.integer("maxBatchSize", kBatchRule);
  spec.at_tokens = fields.integer("atTokens", kCountRule);
  if (const auto value = fields.object("perfParms", Presence::kRequired)) {
    Fields parms(*value, fields.report());
    spec.perf_parms.alpha_ms = parms.number("alpha");
    spec.perf_parms.beta_ms = parms.number("beta");
    spec.perf_parms.gamma_ms = parms.number("gamma");
    parms.finish();
  }
  spec.max_num_tokens = fields.integer("maxNumTokens", kCountRule);
  return spec;
}

// Reads a priority; values out of range mean the lowest one.
std::int64_t read_priority(Fields& fields) {
  const auto value = fields.any("priority");
  if (!value) return kLowestPriority;
  const bool whole =
      value->kind() == JsonKind::kInteger ||
      (value->kind() == JsonKind::kNumber && value->number() == std::trunc(value->number()));
  const std::string range = "an integer from " + std::to_string(kHighestPriority) + " to " +
                            std::to_string(kLowestPriority);
  if (!whole) {
    fields.report().error(value->pointer(), value->rendering(), range);
    return kLowestPriority;
  }
  const std::int64_t priority = exact_integer(*value).value_or(0);
  if (priority >= kHighestPriority && priority <= kLowestPriority) return priority;
  fields.report().warning(value->pointer(), value->rendering(), range,
                          "taken as " + std::to_string(kLowestPriority) + ", the lowest");
  return kLowestPriority;
}

// Absent, 0 or a percentile of TTFT.
double read_percentile(Fields& fields) {
  const auto value = fields.any("slo-ttft-percentile");
  if (!value) return 0;
  const bool is_number = value->kind() == JsonKind::kInteger || value->kind() == JsonKind::kNumber;
  const double number = is_number ? value->number() : -1;
  if (number == 0 || (number >= kMinTtftPercentile && number <= kMaxTtftPercentile)) return number;
  fields.report().error(value->pointer(), value->rendering(),
                        "a percentile from " + number_text(kMinTtftPercentile) + " to " +
                            number_text(kMaxTtftPercentile) + ", or 0 for the average");
  return 0;
}

// Absent, 0 or a probability below 1.
double read_drop(Fields& fields) {
  const auto value = fields.any("slo-drop");
  if (!value) return 0;
  const bool is_number = value->kind() == JsonKind::kInteger || value->kind() == JsonKind::kNumber;
  const double number = is_number ? value->number() : -1;
  if (number == 0) return 0;
  if (number >= kMinDropTarget && number < 1) return number;
  fields.report().error(
      value->pointer(), value->rendering(),
      "a probability from " + number_text(kMinDropTarget) + " to below 1, or 0 for no target");
  return 0;
}

ModelTargetSpec read_target(Fields& fields) {
  ModelTargetSpec spec;
  spec.model = fields.name("model");
  spec.slo_itl_ms = fields.number("slo-itl");
  spec.slo_ttft_ms = fields.number("slo-ttft");
  spec.slo_tps = fields.number("slo-tps");
  spec.slo_ttft_percentile = read_percentile(fields);
  spec.slo_e2e_ms = fields.number("slo-e2e");
  spec.slo_drop = read_drop(fields);
  if (spec.slo_ttft_percentile > 0 && spec.slo_ttft_ms == 0) {
    fields.report().warning(fields.value().pointer(), "slo-ttft-percentile without slo-ttft",
                            "a TTFT target that the percentile belongs to", "it has no effect");
  }
  return spec;
}

// The unique key of an entry in its list; the second part may be empty.
using Identity = std::pair<std::string_view, std::string_view>;
Identity identity(const AcceleratorSpec& spec) { return {spec.name, {}}; }
Identity identity(const CapacitySpec& spec) { return {spec.type, {}}; }
Identity identity(const ModelPerfSpec& spec) { return {spec.name, spec.acc}; }
Identity identity(const ServiceClassSpec& spec) { return {spec.name, {}}; }
Identity identity(const ModelTargetSpec& spec) { return {spec.model, {}}; }
Identity identity(const ServerSpec& spec) { return {spec.name, {}}; }
Identity identity(const AllocationPart& spec) { return {spec.accelerator, {}}; }

// Reports entries that repeat an earlier one. Refused (empty) names do not count.
template <class Entry>
void check_unique(const std::vector<Entry>& entries, const std::string& list_pointer,
                  Report& report) {
  std::map<Identity, std::size_t> first_places;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Identity id = identity(entries[i]);
    if (id.first.empty()) continue;
    const auto [first, fresh] = first_places.try_emplace(id, i);
    if (fresh) continue;
    report.error(
        list_pointer + '/' + std::to_string(i),
        quoted(id.first) + (id.second.empty() ? "" : " on " + quoted(id.second)) + " a second time",
        "each only once", "first at " + list_pointer + '/' + std::to_string(first->second));
  }
}

template <class Entry, class Read>
void read_list(const JsonValue& list, Report& report, std::vector<Entry>& entries, Read read) {
  list.for_each_child([&](const JsonValue& item) {
    Fields fields(item, report);
    entries.push_back(read(fields));
    fields.finish();
  });
  check_unique(entries, list.pointer(), report);
}

// Reads a list of distinct names.
std::vector<std::string> read_names(Fields& fields, std::string_view key) {
  std::vector<std::string> names;
  const auto list = fields.array(key, Presence::kOptional);
  if (!list) return names;
  list->for_each_child([&](const JsonValue& item) {
    if (item.kind() != JsonKind::kString || item.text().empty()) {
      fields.report().error(item.pointer(), item.rendering(), "a non-empty string");
      return;
    }
    names.emplace_back(item.text());
  });
  return names;
}

ServiceClassSpec read_service_class(Fields& fields) {
  ServiceClassSpec spec;
  spec.name = fields.name("name");
  spec.priority = read_priority(fields);
  if (const auto targets = fields.array("modelTargets", Presence::kOptional)) {
    read_list(*targets, fields.report(), spec.model_targets, read_target);
  }
  spec.excluded_accelerators = read_names(fields, "excludedAccelerators");
  return spec;
}

LoadSpec read_load(const JsonValue& value, Fields::UnknownKeys unknown_keys, Report& report) {
  Fields fields(value, report);
  const IntegerRule tokens{.max = kMaxCount, .presence = Presence::kRequired};
  LoadSpec load;
  load.arrival_rate_per_min =
      fields.number("arrivalRate", {.max = kMaxArrivalRatePerMin, .presence = Presence::kRequired});
  load.throughput = fields.number("throughput");
  load.avg_in_tokens = fields.integer("avgInTokens", tokens);
  load.avg_out_tokens = fields.integer("avgOutTokens", tokens);
  fields.finish(unknown_keys);
  return load;
}

ServerSpec read_server(Fields& fields) {
  ServerSpec spec;
  spec.name = fields.name("name");
  spec.class_name = fields.text("class");
  spec.model = fields.name("model");
  spec.keep_accelerator = fields.flag("keepAccelerator");
  spec.excluded_accelerators = read_names(fields, "excludedAccelerators");
  spec.min_num_replicas = fields.integer("minNumReplicas", kReplicasRule);
  spec.max_num_replicas = fields.integer("maxNumReplicas", kReplicasRule);
  spec.max_batch_size = fields.integer("maxBatchSize", kBatchRule);
  spec.max_queue_size = fields.integer("maxQueueSize", {.max = kMaxQueueSize});
  spec.max_num_tokens = fields.integer("maxNumTokens", kCountRule);
  if (const auto value = fields.object("currentAlloc", Presence::kRequired)) {
    spec.current_alloc =
        read_allocation(*value, Presence::kRequired, Fields::UnknownKeys::kWarn, fields.report());
  }
  fields.ignore("desiredAlloc");
  return spec;
}

SaturationPolicy read_saturation_policy(Fields& fields) {
  SaturationPolicy policy = SaturationPolicy::kNone;
  const auto value = fields.any("saturationPolicy");
  if (!value) return policy;
  const bool is_string = value->kind() == JsonKind::kString;
  if (is_string && parse_saturation_policy(value->text(), policy)) return policy;

  const std::array known = {
      to_string(SaturationPolicy::kNone), to_string(SaturationPolicy::kPriorityExhaustive),
      to_string(SaturationPolicy::kPriorityRoundRobin), to_string(SaturationPolicy::kRoundRobin)};
  std::string expected = "one of";
  for (const std::string_view name : known) {
    expected += (name == known.front() ? " " : ", ") + quoted(name);
  }
  const std::string_view meant = is_string ? nearest_word(value->text(), known) : "";
  fields.report().error(value->pointer(), value->rendering(), expected,
                        meant.empty() ? "" : "did you mean " + quoted(meant) + "?");
  return policy;
}

// Fields beside those of a part come from a planner and are ignored.
AllocationPart read_part(const JsonValue& value, Report& report) {
  Fields fields(value, report);
  AllocationPart part;
  part.accelerator = fields.name("accelerator");
  part.num_replicas = fields.integer(
      "numReplicas", {.max = kMaxReplicas, .min = 1, .presence = Presence::kRequired});
  part.max_batch = fields.integer("maxBatch", kBatchRule);
  part.cost_cents_per_hour = fields.number("cost");
  fields.finish(Fields::UnknownKeys::kIgnore);
  return part;
}

// Checks that there are several parts on different accelerators, and names the allocation after
// them.
void check_parts(const std::string& pointer, Report& report, AllocationSpec& spec) {
  if (spec.parts.size() == 1) {
    report.error(pointer, "1 part", "two or more, or none at all");
  }
  check_unique(spec.parts, pointer, report);
  std::string names;
  for (const AllocationPart& part : spec.parts) {
    if (&part != &spec.parts.front()) names += kPartSeparator;
    names += part.accelerator;
  }
  if (spec.accelerator.empty()) spec.accelerator = names;
}

OptimizerSpec read_optimizer(const JsonValue& value, Report& report) {
  Fields fields(value, report);
  OptimizerSpec spec;
  spec.unlimited = fields.flag("unlimited");
  spec.heterogeneous = fields.flag("heterogeneous");
  spec.milp_solver = fields.flag("milpSolver");
  if (fields.flag("useCplex")) {
    report.warning(value.pointer(), "useCplex true", "false or absent",
                   "it is ignored: CPLEX is not used");
  }
  spec.delayed_best_effort = fields.flag("delayedBestEffort");
  spec.saturation_policy = read_saturation_policy(fields);
  spec.headroom = fields.number("headroom", {.max = kMaxHeadroom});
  spec.spare_replicas = fields.integer("spareReplicas", {.max = kMaxSpareReplicas});
  spec.transition_factor = fields.number_or("transitionFactor", 1, {.max = kMaxTransitionFactor});
  spec.energy_price_cents_per_kwh = fields.number("energyPrice");
  spec.pue = fields.number_or("pue", 1, {.max = kMaxPue, .min = 1});
  if (fields.any("maxCost")) spec.max_cost_cents_per_hour = fields.number("maxCost");
  if (fields.any("maxPower")) spec.max_power_w = fields.number("maxPower");
  if (fields.any("maxChanges")) {
    spec.max_changes = fields.integer("maxChanges", {.max = kMaxCount});
  }
  fields.finish();
  return spec;
}

}  // namespace

AllocationSpec read_allocation(const JsonValue& value, Presence load,
                               Fields::UnknownKeys unknown_keys, Report& report) {
  Fields fields(value, report);
  AllocationSpec spec;
  spec.accelerator = fields.text("accelerator");
  spec.num_replicas = fields.integer("numReplicas", kReplicasRule);
  spec.max_batch = fields.integer("maxBatch", kBatchRule);
  spec.cost_cents_per_hour = fields.number("cost");
  spec.itl_average_ms = fields.number("itlAverage");
  spec.ttft_average_ms = fields.number("ttftAverage");
  if (const auto parts = fields.array("parts", Presence::kOptional)) {
    parts->for_each_child(
        [&](const JsonValue& item) { spec.parts.push_back(read_part(item, report)); });
    check_parts(parts->pointer(), report, spec);
  }
  if (const auto at = fields.object("load", load)) spec.load = read_load(*at, unknown_keys, report);
  fields.finish(unknown_keys);
  return spec;
}

void read_section(const SectionLayout& layout, const JsonValue& value, const std::string& file,
                  Report& report, SystemSpec& spec, SectionSources& sources) {
  Fields fields(value, report);
  const auto content = layout.section == Section::kOptimizer
                           ? fields.object(layout.content, Presence::kRequired)
                           : fields.array(layout.content, Presence::kRequired);
  fields.finish();
  if (!content) return;
  sources[static_cast<std::size_t>(layout.section)] = {true, file, content->pointer()};
  switch (layout.section) {
    case Section::kAccelerators:
      return read_list(*content, report, spec.accelerators, read_accelerator);
    case Section::kCapacities:
      return read_list(*content, report, spec.capacities, read_capacity);
    case Section::kModels:
      return read_list(*content, report, spec.models, read_model);
    case Section::kServiceClasses:
      return read_list(*content, report, spec.service_classes, read_service_class);
    case Section::kServers:
      return read_list(*content, report, spec.servers, read_server);
    case Section::kOptimizer:
      spec.optimizer = read_optimizer(*content, report);
      return;
  }
}

}  // namespace tonnage
