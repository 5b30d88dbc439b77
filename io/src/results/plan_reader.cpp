// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads plans, whoever wrote them, as claims.
#include <algorithm>
#include <charconv>
#include <optional>

#include "io/src/files/input_text.hpp"
#include "io/src/results/text_rendering.hpp"
#include "io/src/spec/fields.hpp"
#include "tonnage/io/plan_io.hpp"

namespace tonnage {
namespace {

constexpr Fields::UnknownKeys kIgnore = Fields::UnknownKeys::kIgnore;

// The value of a key; absent also for null. Any value of the right type is a claim; the reader does
// not judge whether it can be true.
std::optional<JsonValue> stated(Fields& fields, std::string_view key) {
  const auto value = fields.any(key);
  if (value && value->kind() == JsonKind::kNull) return std::nullopt;
  return value;
}

void wrong(Fields& fields, const JsonValue& value, const char* expected) {
  fields.report().error(value.pointer(), value.rendering(), expected);
}

std::optional<double> claimed_number(Fields& fields, std::string_view key) {
  const auto value = stated(fields, key);
  if (!value) return std::nullopt;
  if (value->kind() == JsonKind::kInteger || value->kind() == JsonKind::kNumber) {
    return value->number();
  }
  wrong(fields, *value, "a finite number");
  return std::nullopt;
}

std::optional<std::int64_t> claimed_count(Fields& fields, std::string_view key) {
  const auto value = stated(fields, key);
  if (!value) return std::nullopt;
  const auto count = exact_integer(*value);
  if (!count) wrong(fields, *value, "an integer");
  return count;
}

std::optional<bool> claimed_flag(Fields& fields, std::string_view key) {
  const auto value = stated(fields, key);
  if (!value) return std::nullopt;
  if (value->kind() == JsonKind::kBool) return value->boolean();
  wrong(fields, *value, "true or false");
  return std::nullopt;
}

AllocationClaims read_claims(const JsonValue& object, Report& report) {
  Fields fields(object, report);
  AllocationClaims claims;
  if (const auto value = stated(fields, "accelerator")) {
    if (value->kind() == JsonKind::kString) {
      claims.accelerator = std::string(value->text());
    } else {
      wrong(fields, *value, "a string");
    }
  }
  claims.num_replicas = claimed_count(fields, "numReplicas");
  claims.max_batch = claimed_count(fields, "maxBatch");
  claims.cost_cents_per_hour = claimed_number(fields, "cost");
  claims.itl_average_ms = claimed_number(fields, "itlAverage");
  claims.ttft_average_ms = claimed_number(fields, "ttftAverage");
  if (const auto value = stated(fields, "load")) {
    Fields load(*value, report);
    LoadSpec spec;
    spec.arrival_rate_per_min = claimed_number(load, "arrivalRate").value_or(0);
    spec.throughput = claimed_number(load, "throughput").value_or(0);
    spec.avg_in_tokens = claimed_count(load, "avgInTokens").value_or(0);
    spec.avg_out_tokens = claimed_count(load, "avgOutTokens").value_or(0);
    if (load.is_object()) claims.load = spec;
  }
  if (const auto parts = fields.array("parts", Presence::kOptional)) {
    parts->for_each_child([&](const JsonValue& item) {
      Fields of_part(item, report);
      AllocationPart part;
      part.accelerator = of_part.name("accelerator");
      part.num_replicas = claimed_count(of_part, "numReplicas").value_or(0);
      part.max_batch = claimed_count(of_part, "maxBatch").value_or(0);
      part.cost_cents_per_hour = claimed_number(of_part, "cost").value_or(0);
      of_part.finish(kIgnore);
      claims.parts.push_back(std::move(part));
    });
  }
  claims.value = claimed_number(fields, "value");
  claims.response_ms = claimed_number(fields, "respTimeAverage");
  claims.rho = claimed_number(fields, "rho");
  claims.max_rpm = claimed_number(fields, "maxRPM");
  claims.drop_probability = claimed_number(fields, "dropProbability");
  claims.ttft_p50_ms = claimed_number(fields, "ttftP50");
  claims.ttft_p90_ms = claimed_number(fields, "ttftP90");
  claims.ttft_p95_ms = claimed_number(fields, "ttftP95");
  claims.ttft_p99_ms = claimed_number(fields, "ttftP99");
  claims.power_w = claimed_number(fields, "powerW");
  claims.partial = claimed_flag(fields, "partial");
  fields.finish(kIgnore);
  return claims;
}

std::map<std::string, TypeClaims> read_types(const JsonValue& object, Report& report) {
  std::map<std::string, TypeClaims> types;
  object.for_each_child([&](const JsonValue& value) {
    Fields fields(value, report);
    TypeClaims& claims = types[std::string(value.key())];
    claims.used = claimed_count(fields, "used");
    claims.limit = claimed_count(fields, "limit");
    claims.cost = claimed_number(fields, "cost");
  });
  return types;
}

std::map<int, PriorityClaims> read_priorities(const JsonValue& object, Report& report) {
  std::map<int, PriorityClaims> priorities;
  object.for_each_child([&](const JsonValue& value) {
    const std::string_view key = value.key();
    int priority = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), priority);
    const bool whole = error == std::errc() && end == key.data() + key.size();
    if (!whole || priority < kHighestPriority || priority > kLowestPriority) {
      report.error(value.pointer(), quoted(key), "a priority from 1 to 100");
      return;
    }
    Fields fields(value, report);
    PriorityClaims& claims = priorities[priority];
    claims.served = claimed_count(fields, "served");
    claims.partial = claimed_count(fields, "partial");
    claims.unserved = claimed_count(fields, "unserved");
  });
  return priorities;
}

StageClaims read_stage(const JsonValue& object, Report& report) {
  Fields fields(object, report);
  StageClaims claims;
  if (const auto priority = claimed_count(fields, "priority")) {
    claims.priority = static_cast<int>(
        std::clamp<std::int64_t>(*priority, kHighestPriority - 1, kLowestPriority + 1));
  }
  claims.objective = claimed_number(fields, "objective");
  claims.lower_bound = claimed_number(fields, "lowerBound");
  claims.price_bound = claimed_number(fields, "priceBound");
  claims.proven = claimed_flag(fields, "proven");
  const auto read_prices = [&](const char* key, auto&& put) {
    const auto prices = fields.object(key, Presence::kOptional);
    if (!prices) return;
    prices->for_each_child([&](const JsonValue& value) {
      if (value.kind() == JsonKind::kInteger || value.kind() == JsonKind::kNumber) {
        put(std::string(value.key()), value.number());
      } else {
        wrong(fields, value, "a finite number");
      }
    });
  };
  read_prices("typePrices",
              [&](const std::string& type, double price) { claims.type_prices[type] = price; });
  read_prices("limitPrices",
              [&](const std::string& limit, double price) { claims.limit_prices[limit] = price; });
  read_prices("classPrices", [&](const std::string& text, double price) {
    int priority = 0;
    std::from_chars(text.data(), text.data() + text.size(), priority);
    claims.class_prices[priority] = price;
  });
  return claims;
}

SummaryClaims read_summary(const JsonValue& object, Report& report) {
  Fields fields(object, report);
  SummaryClaims claims;
  claims.total_cost = claimed_number(fields, "totalCost");
  claims.total_value = claimed_number(fields, "totalValue");
  if (const auto types = fields.object("types", Presence::kOptional)) {
    claims.types = read_types(*types, report);
  }
  if (const auto limits = fields.object("limits", Presence::kOptional)) {
    limits->for_each_child([&](const JsonValue& value) {
      Fields of_limit(value, report);
      if (const auto used = claimed_number(of_limit, "used")) {
        claims.limits[std::string(value.key())] = *used;
      }
    });
  }
  if (const auto priorities = fields.object("priorities", Presence::kOptional)) {
    claims.priorities = read_priorities(*priorities, report);
  }
  if (const auto stages = fields.array("stages", Presence::kOptional)) {
    stages->for_each_child(
        [&](const JsonValue& value) { claims.stages.push_back(read_stage(value, report)); });
  }
  claims.gap = claimed_number(fields, "gap");
  claims.batch_search = stated(fields, "batchSearch").has_value();
  return claims;
}

}  // namespace

PlanReadResult read_plan(const std::string& path) {
  PlanReadResult result;
  const auto text = read_input_text(path, result.diagnostics);
  if (!text) return result;
  return read_plan_from_string(*text, input_display_name(path));
}

PlanReadResult read_plan_from_string(std::string_view text, const std::string& name) {
  PlanReadResult result;
  const auto tree = parse_document(text, name, result.diagnostics);
  if (!tree) return result;
  Report report(result.diagnostics, name);
  Fields top(tree->root(), report);
  if (const auto allocations = top.object("allocations", Presence::kRequired)) {
    allocations->for_each_child([&](const JsonValue& value) {
      result.claims.allocations[std::string(value.key())] = read_claims(value, report);
    });
  }
  if (const auto unallocated = top.array("unallocated", Presence::kOptional)) {
    auto& names = result.claims.unallocated.emplace();
    unallocated->for_each_child([&](const JsonValue& value) {
      Fields fields(value, report);
      names.push_back(fields.name("server"));
    });
  }
  if (const auto summary = top.object("summary", Presence::kOptional)) {
    result.claims.summary = read_summary(*summary, report);
  }
  top.finish(kIgnore);
  return result;
}

}  // namespace tonnage
