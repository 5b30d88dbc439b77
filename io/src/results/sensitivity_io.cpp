// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes sensitivity runs as JSON and as comma-separated values.
#include "tonnage/io/sensitivity_io.hpp"

#include "io/src/json/json_writer.hpp"
#include "io/src/results/text_rendering.hpp"

namespace tonnage {

std::string sensitivity_to_json(const std::vector<SensitivityPoint>& points) {
  JsonWriter json(JsonWriter::Unwritable::kReplace);
  json.begin_array();
  for (const SensitivityPoint& p : points) {
    json.begin_object({}, JsonWriter::Layout::kInline);
    json.value("axis", to_string(p.axis));
    if (p.axis == SensitivityAxis::kCapacity) json.value("type", p.type);
    json.value("scale", p.scale);
    if (p.axis == SensitivityAxis::kCapacity) json.value("cards", p.cards);
    json.value("totalCost", p.total_cost);
    json.value("totalValue", p.total_value);
    json.value("served", p.served);
    json.value("partial", p.partial);
    json.value("unserved", p.unserved);
    json.end();
  }
  json.end();
  return json.take();
}

std::string sensitivity_to_csv(const std::vector<SensitivityPoint>& points) {
  std::string text = "axis,type,scale,cards,totalCost,totalValue,served,partial,unserved\r\n";
  for (const SensitivityPoint& p : points) {
    const bool cards = p.axis == SensitivityAxis::kCapacity;
    text += std::string(to_string(p.axis)) + "," + csv_field(p.type) + "," + number_text(p.scale) +
            "," + (cards ? std::to_string(p.cards) : "") + "," + number_text(p.total_cost) + "," +
            number_text(p.total_value) + "," + std::to_string(p.served) + "," +
            std::to_string(p.partial) + "," + std::to_string(p.unserved) + "\r\n";
  }
  return text;
}

}  // namespace tonnage
