// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes the fields of every entry of a spec, in the order of the published layout.
#include "tonnage/io/spec_writer.hpp"

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "io/src/json/json_writer.hpp"
#include "io/src/results/allocation_json.hpp"
#include "io/src/spec/spec_sections.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"

namespace tonnage {
namespace {

constexpr auto kInline = JsonWriter::Layout::kInline;

void write(JsonWriter& json, const AcceleratorSpec& spec) {
  json.begin_object({}, kInline);
  json.value("name", spec.name);
  json.value("type", spec.type);
  json.value("multiplicity", spec.multiplicity);
  json.value("memSize", spec.mem_size_gb);
  json.value("memBW", spec.mem_bw_gb_per_s);
  json.begin_object("power", kInline);
  json.value("idle", spec.power.idle_w);
  json.value("full", spec.power.full_w);
  json.value("midPower", spec.power.mid_power_w);
  json.value("midUtil", spec.power.mid_util);
  json.end();
  json.value("cost", spec.cost_cents_per_hour);
  json.end();
}

void write(JsonWriter& json, const CapacitySpec& spec) {
  json.begin_object({}, kInline);
  json.value("type", spec.type);
  json.value("count", spec.count);
  json.end();
}

void write(JsonWriter& json, const ModelPerfSpec& spec) {
  json.begin_object({}, kInline);
  json.value("name", spec.name);
  json.value("acc", spec.acc);
  json.value("accCount", spec.acc_count);
  json.value("maxBatchSize", spec.max_batch_size);
  json.value("atTokens", spec.at_tokens);
  json.begin_object("perfParms", kInline);
  json.value("alpha", spec.perf_parms.alpha_ms);
  json.value("beta", spec.perf_parms.beta_ms);
  json.value("gamma", spec.perf_parms.gamma_ms);
  json.end();
  if (spec.max_num_tokens != 0) json.value("maxNumTokens", spec.max_num_tokens);
  json.end();
}

void write_exclusions(JsonWriter& json, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json.begin_array("excludedAccelerators", kInline);
  for (const std::string& name : names) json.value({}, name);
  json.end();
}

void write(JsonWriter& json, const ServiceClassSpec& spec) {
  json.begin_object();
  json.value("name", spec.name);
  json.value("priority", spec.priority);
  json.begin_array("modelTargets");
  for (const ModelTargetSpec& target : spec.model_targets) {
    json.begin_object({}, kInline);
    json.value("model", target.model);
    json.value("slo-itl", target.slo_itl_ms);
    json.value("slo-ttft", target.slo_ttft_ms);
    json.value("slo-tps", target.slo_tps);
    if (target.slo_ttft_percentile > 0) {
      json.value("slo-ttft-percentile", target.slo_ttft_percentile);
    }
    if (target.slo_e2e_ms > 0) json.value("slo-e2e", target.slo_e2e_ms);
    if (target.slo_drop > 0) json.value("slo-drop", target.slo_drop);
    json.end();
  }
  json.end();
  write_exclusions(json, spec.excluded_accelerators);
  json.end();
}

void write(JsonWriter& json, const ServerSpec& spec) {
  json.begin_object({}, kInline);
  json.value("name", spec.name);
  json.value("class", spec.class_name);
  json.value("model", spec.model);
  json.value("keepAccelerator", spec.keep_accelerator);
  write_exclusions(json, spec.excluded_accelerators);
  json.value("minNumReplicas", spec.min_num_replicas);
  if (spec.max_num_replicas != 0) json.value("maxNumReplicas", spec.max_num_replicas);
  json.value("maxBatchSize", spec.max_batch_size);
  json.value("maxQueueSize", spec.max_queue_size);
  if (spec.max_num_tokens != 0) json.value("maxNumTokens", spec.max_num_tokens);
  write_allocation(json, "currentAlloc", spec.current_alloc);
  if (spec.desired_alloc != AllocationSpec{}) {
    write_allocation(json, "desiredAlloc", spec.desired_alloc);
  }
  json.end();
}

template <class Entry>
void write_list(JsonWriter& json, std::string_view key, const std::vector<Entry>& entries) {
  json.begin_array(key);
  for (const Entry& entry : entries) write(json, entry);
  json.end();
}

void write_optimizer(JsonWriter& json, std::string_view key, const OptimizerSpec& spec) {
  json.begin_object(key);
  json.value("unlimited", spec.unlimited);
  json.value("heterogeneous", spec.heterogeneous);
  json.value("milpSolver", spec.milp_solver);
  json.value("delayedBestEffort", spec.delayed_best_effort);
  json.value("saturationPolicy", to_string(spec.saturation_policy));
  if (spec.headroom > 0) json.value("headroom", spec.headroom);
  if (spec.spare_replicas > 0) json.value("spareReplicas", spec.spare_replicas);
  if (spec.transition_factor != 1) json.value("transitionFactor", spec.transition_factor);
  if (spec.energy_price_cents_per_kwh > 0) {
    json.value("energyPrice", spec.energy_price_cents_per_kwh);
  }
  if (spec.pue != 1) json.value("pue", spec.pue);
  if (spec.max_cost_cents_per_hour) json.value("maxCost", *spec.max_cost_cents_per_hour);
  if (spec.max_power_w) json.value("maxPower", *spec.max_power_w);
  if (spec.max_changes) json.value("maxChanges", *spec.max_changes);
  json.end();
}

// The section object, under `key` where it stands in an object.
void write_section(JsonWriter& json, const SectionLayout& layout, std::string_view key,
                   const SystemSpec& spec) {
  json.begin_object(key);
  switch (layout.section) {
    case Section::kAccelerators:
      write_list(json, layout.content, spec.accelerators);
      break;
    case Section::kCapacities:
      write_list(json, layout.content, spec.capacities);
      break;
    case Section::kModels:
      write_list(json, layout.content, spec.models);
      break;
    case Section::kServiceClasses:
      write_list(json, layout.content, spec.service_classes);
      break;
    case Section::kServers:
      write_list(json, layout.content, spec.servers);
      break;
    case Section::kOptimizer:
      write_optimizer(json, layout.content, spec.optimizer);
      break;
  }
  json.end();
}

}  // namespace

std::string system_to_json(const SystemSpec& spec) {
  JsonWriter json;
  json.begin_object();
  json.begin_object("system");
  for (const SectionLayout& layout : kSectionLayouts) {
    write_section(json, layout, layout.key, spec);
  }
  json.end();
  json.end();
  return json.take();
}

void write_system_folder(const SystemSpec& spec, const std::string& folder) {
  std::array<std::string, kSectionCount> texts;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    JsonWriter json;
    write_section(json, kSectionLayouts[i], {}, spec);
    texts[i] = json.take();
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create folder " + folder + ": " + error.message());
  // All files are written before the first is renamed, so a full disk leaves the six old ones.
  std::vector<AtomicFile> files;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    const auto path = std::filesystem::path(folder) / kSectionLayouts[i].file_name;
    files.emplace_back(path.string()).write(texts[i]);
  }
  for (AtomicFile& file : files) file.commit();
}

}  // namespace tonnage
