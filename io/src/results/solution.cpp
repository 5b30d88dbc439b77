// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes and reads solutions, and writes the published fields of an allocation.
#include "tonnage/io/solution.hpp"

#include "io/src/files/input_text.hpp"
#include "io/src/results/allocation_json.hpp"
#include "io/src/spec/fields.hpp"
#include "io/src/spec/spec_sections.hpp"

namespace tonnage {

void write_allocation_fields(JsonWriter& json, const AllocationSpec& spec,
                             const std::function<void(std::size_t part)>& more) {
  json.value("accelerator", spec.accelerator);
  json.value("numReplicas", spec.num_replicas);
  json.value("maxBatch", spec.max_batch);
  json.value("cost", spec.cost_cents_per_hour);
  json.value("itlAverage", spec.itl_average_ms);
  json.value("ttftAverage", spec.ttft_average_ms);
  if (!spec.parts.empty()) {
    json.begin_array("parts", JsonWriter::Layout::kInline);
    for (std::size_t i = 0; i < spec.parts.size(); ++i) {
      json.begin_object({}, JsonWriter::Layout::kInline);
      json.value("accelerator", spec.parts[i].accelerator);
      json.value("numReplicas", spec.parts[i].num_replicas);
      json.value("maxBatch", spec.parts[i].max_batch);
      json.value("cost", spec.parts[i].cost_cents_per_hour);
      if (more) more(i);
      json.end();
    }
    json.end();
  }
  json.begin_object("load", JsonWriter::Layout::kInline);
  json.value("arrivalRate", spec.load.arrival_rate_per_min);
  json.value("throughput", spec.load.throughput);
  json.value("avgInTokens", spec.load.avg_in_tokens);
  json.value("avgOutTokens", spec.load.avg_out_tokens);
  json.end();
}

void write_allocation(JsonWriter& json, std::string_view key, const AllocationSpec& spec) {
  json.begin_object(key, JsonWriter::Layout::kInline);
  write_allocation_fields(json, spec);
  json.end();
}

std::string solution_to_json(const Solution& solution) {
  JsonWriter json;
  json.begin_object();
  json.begin_object("allocations");
  for (const auto& [server, allocation] : solution) write_allocation(json, server, allocation);
  json.end();
  json.end();
  return json.take();
}

SolutionReadResult read_solution(const std::string& path) {
  SolutionReadResult result;
  const auto text = read_input_text(path, result.diagnostics);
  if (!text) return result;
  return read_solution_from_string(*text, input_display_name(path));
}

SolutionReadResult read_solution_from_string(std::string_view text,
                                             const std::string& display_name) {
  SolutionReadResult result;
  const auto tree = parse_document(text, display_name, result.diagnostics);
  if (!tree) return result;
  Report report(result.diagnostics, display_name);
  Fields top(tree->root(), report);
  const auto allocations = top.object("allocations", Presence::kRequired);
  if (!allocations) return result;
  allocations->for_each_child([&](const JsonValue& value) {
    const std::string server(value.key());
    if (server.empty()) {
      report.error(value.pointer(), "an empty server name", "a non-empty name");
    }
    result.allocations[server] =
        read_allocation(value, Presence::kOptional, Fields::UnknownKeys::kIgnore, report);
  });
  return result;
}

}  // namespace tonnage
