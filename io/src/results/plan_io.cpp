// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes plans, candidates, differences and violations as text. Reading plans is in
// plan_reader.cpp.
#include "tonnage/io/plan_io.hpp"

#include <cmath>

#include "io/src/json/json_writer.hpp"
#include "io/src/results/allocation_json.hpp"
#include "io/src/results/text_rendering.hpp"

namespace tonnage {
namespace {

using Layout = JsonWriter::Layout;
using Unwritable = JsonWriter::Unwritable;

// Calls visit for the fields that this project adds to the published allocation, in the order of
// all outputs.
template <class Visit>
void for_each_extra(double value, const AllocationMetrics& m, Visit visit) {
  visit("value", value);
  visit("respTimeAverage", m.response_ms);
  visit("rho", m.rho);
  visit("maxRPM", m.max_rate_per_replica_per_ms * kMsPerMinute);
  visit("dropProbability", m.drop_probability);
  visit("ttftP50", m.ttft_p50_ms);
  visit("ttftP90", m.ttft_p90_ms);
  visit("ttftP95", m.ttft_p95_ms);
  visit("ttftP99", m.ttft_p99_ms);
  visit("powerW", m.power_w);
}

void write_planned(JsonWriter& json, const PlannedServer& planned) {
  json.begin_object(planned.server, Layout::kInline);
  write_allocation_fields(json, planned.allocation, [&](std::size_t i) {
    const PlannedPart& part = planned.parts[i];
    json.value("share", part.share);
    json.value("itlAverage", part.metrics.itl_ms);
    json.value("ttftAverage", part.metrics.ttft_ms);
    json.value("rho", part.metrics.rho);
    json.value("powerW", part.metrics.power_w);
  });
  for_each_extra(planned.value, planned.metrics,
                 [&](std::string_view name, double number) { json.value(name, number); });
  json.value("partial", planned.partial);
  json.end();
}

// Writes the stages with their bounds, and the prices that prove them.
void write_certificate(JsonWriter& json, const PlanSummary& summary, bool with_timing) {
  if (summary.stages.empty()) return;
  json.value("objective", summary.stages.back().objective);
  json.value("lowerBound", summary.stages.back().lower_bound);
  if (const auto gap = summary.gap()) {
    json.value("gap", *gap);
  } else {
    json.null("gap");
  }
  json.begin_array("stages");
  for (const StageCertificate& stage : summary.stages) {
    json.begin_object({}, Layout::kInline);
    if (stage.priority == StageCertificate::kValueStage) {
      json.value("stage", "value");
    } else {
      json.value("stage", "unserved");
      json.value("priority", static_cast<std::int64_t>(stage.priority));
    }
    json.value("objective", stage.objective);
    json.value("lowerBound", stage.lower_bound);
    json.value("gap", stage.objective - stage.lower_bound);
    json.value("proven", stage.proven);
    if (!stage.type_prices.empty()) {
      json.value("priceBound", stage.price_bound);
      json.begin_object("typePrices", Layout::kInline);
      for (std::size_t t = 0; t < stage.type_prices.size(); ++t) {
        json.value(summary.types[t].type, stage.type_prices[t]);
      }
      json.end();
      if (!stage.limit_prices.empty()) {
        json.begin_object("limitPrices", Layout::kInline);
        for (std::size_t l = 0; l < stage.limit_prices.size(); ++l) {
          json.value(summary.limits[l].name, stage.limit_prices[l]);
        }
        json.end();
      }
      json.begin_object("classPrices", Layout::kInline);
      for (std::size_t k = 0; k < stage.class_prices.size(); ++k) {
        json.value(std::to_string(summary.stages[k].priority), stage.class_prices[k]);
      }
      json.end();
    }
    if (with_timing) json.value("seconds", stage.seconds);
    json.end();
  }
  json.end();
}

void write_summary(JsonWriter& json, const PlanSummary& summary, bool with_timing) {
  json.begin_object("summary");
  json.value("totalCost", summary.total_cost);
  json.value("totalValue", summary.total_value);
  json.begin_object("types");
  for (const TypeUsage& usage : summary.types) {
    json.begin_object(usage.type, Layout::kInline);
    json.value("used", usage.used);
    if (usage.limit) {
      json.value("limit", *usage.limit);
    } else {
      json.null("limit");
    }
    json.value("cost", usage.cost);
    if (usage.price) json.value("price", *usage.price);
    json.end();
  }
  json.end();
  if (!summary.limits.empty()) {
    json.begin_object("limits");
    for (const LimitUsage& usage : summary.limits) {
      json.begin_object(usage.name, Layout::kInline);
      json.value("used", usage.used);
      json.value("limit", usage.limit);
      if (usage.price) json.value("price", *usage.price);
      json.end();
    }
    json.end();
  }
  json.begin_object("priorities");
  for (const PriorityOutcome& outcome : summary.priorities) {
    json.begin_object(std::to_string(outcome.priority), Layout::kInline);
    json.value("served", outcome.served);
    json.value("partial", outcome.partial);
    json.value("unserved", outcome.unserved);
    if (outcome.price) json.value("price", *outcome.price);
    json.end();
  }
  json.end();
  write_certificate(json, summary, with_timing);
  json.value("solver", summary.solver);
  if (summary.iterations > 0) json.value("iterations", summary.iterations);
  json.value("backend", summary.backend);
  json.value("version", summary.version);
  json.value("pairs", summary.num_pairs);
  json.value("candidates", summary.num_candidates);
  if (summary.candidates_swept > 0) {
    json.begin_object("batchSearch", Layout::kInline);
    json.value("swept", summary.candidates_swept);
    json.value("passed", summary.candidates_passed);
    json.end();
  }
  if (with_timing) {
    json.begin_object("timing", Layout::kInline);
    json.value("evaluationSeconds", summary.evaluation_s);
    json.value("selectionSeconds", summary.selection_s);
    json.end();
  }
  json.end();
}

std::string csv_number(double number) { return std::isfinite(number) ? number_text(number) : ""; }

}  // namespace

std::string plan_to_json(const Plan& plan, bool with_timing) {
  JsonWriter json(Unwritable::kReplace);
  json.begin_object();
  json.begin_object("allocations");
  for (const PlannedServer& planned : plan.allocations) write_planned(json, planned);
  json.end();
  json.begin_array("unallocated");
  for (const UnallocatedServer& left : plan.unallocated) {
    json.begin_object({}, Layout::kInline);
    json.value("server", left.server);
    json.value("reason", left.detail);
    json.end();
  }
  json.end();
  write_summary(json, plan.summary, with_timing);
  json.end();
  return json.take();
}

std::string candidates_to_json(const std::vector<Candidate>& candidates) {
  JsonWriter json(Unwritable::kReplace);
  json.begin_array();
  for (const Candidate& candidate : candidates) {
    json.begin_object({}, Layout::kInline);
    json.value("server", candidate.server);
    json.value("accelerator", candidate.accelerator);
    if (candidate.feasible()) {
      json.value("numReplicas", candidate.allocation.num_replicas);
      json.value("maxBatch", candidate.allocation.max_batch);
      json.value("cost", candidate.allocation.cost_cents_per_hour);
      json.value("itlAverage", candidate.metrics.itl_ms);
      json.value("ttftAverage", candidate.metrics.ttft_ms);
      for_each_extra(candidate.value, candidate.metrics,
                     [&](std::string_view name, double number) { json.value(name, number); });
    } else {
      json.value("reason", candidate.detail);
    }
    json.end();
  }
  json.end();
  return json.take();
}

std::string candidates_to_csv(const std::vector<Candidate>& candidates) {
  std::string text = "server,accelerator,numReplicas,maxBatch,cost,itlAverage,ttftAverage";
  std::string no_numbers = ",,,,,,";
  for_each_extra(0, {}, [&](std::string_view name, double) {
    (text += ',') += name;
    no_numbers += ',';
  });
  text += ",reason\r\n";
  for (const Candidate& candidate : candidates) {
    text += csv_field(candidate.server) + ',' + csv_field(candidate.accelerator);
    if (candidate.feasible()) {
      text += ',' + std::to_string(candidate.allocation.num_replicas);
      text += ',' + std::to_string(candidate.allocation.max_batch);
      text += ',' + csv_number(candidate.allocation.cost_cents_per_hour);
      text += ',' + csv_number(candidate.metrics.itl_ms);
      text += ',' + csv_number(candidate.metrics.ttft_ms);
      for_each_extra(candidate.value, candidate.metrics,
                     [&](std::string_view, double number) { text += ',' + csv_number(number); });
      text += ',';
    } else {
      text += no_numbers + csv_field(candidate.detail);
    }
    text += "\r\n";
  }
  return text;
}

namespace {

void write_parts(JsonWriter& json, std::string_view key, const std::vector<AllocationPart>& parts) {
  if (parts.empty()) return;
  json.begin_array(key, Layout::kInline);
  for (const AllocationPart& part : parts) {
    json.begin_object({}, Layout::kInline);
    json.value("accelerator", part.accelerator);
    json.value("numReplicas", part.num_replicas);
    json.end();
  }
  json.end();
}

}  // namespace

std::string diff_to_json(const std::vector<PlanChange>& changes) {
  JsonWriter json(Unwritable::kReplace);
  json.begin_array();
  for (const PlanChange& change : changes) {
    json.begin_object({}, Layout::kInline);
    json.value("server", change.server);
    json.value("kind", to_string(change.kind));
    json.value("oldAccelerator", change.old_accelerator);
    json.value("newAccelerator", change.new_accelerator);
    json.value("oldNumReplicas", change.old_num_replicas);
    json.value("newNumReplicas", change.new_num_replicas);
    write_parts(json, "oldParts", change.old_parts);
    write_parts(json, "newParts", change.new_parts);
    json.value("oldMaxBatch", change.old_max_batch);
    json.value("newMaxBatch", change.new_max_batch);
    json.value("costDifference", change.cost_difference);
    json.end();
  }
  json.end();
  return json.take();
}

std::string violations_to_json(const std::vector<Violation>& violations) {
  JsonWriter json(Unwritable::kReplace);
  json.begin_array();
  for (const Violation& violation : violations) {
    json.begin_object({}, Layout::kInline);
    if (violation.server.empty()) {
      json.null("server");
    } else {
      json.value("server", violation.server);
    }
    json.value("kind", violation.kind);
    json.value("message", violation.message);
    json.end();
  }
  json.end();
  return json.take();
}

}  // namespace tonnage
