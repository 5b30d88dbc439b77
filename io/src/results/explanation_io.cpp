// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes explanations as JSON.
#include "tonnage/io/explanation_io.hpp"

#include "io/src/json/json_writer.hpp"

namespace tonnage {

std::string explanations_to_json(const std::vector<Explanation>& explanations) {
  JsonWriter json(JsonWriter::Unwritable::kReplace);
  json.begin_object();
  for (const Explanation& e : explanations) {
    json.begin_object(e.server);
    json.value("priority", static_cast<std::int64_t>(e.priority));
    json.value("outcome", e.outcome);
    json.value("reason", e.reason);
    json.begin_array("wouldHelp");
    for (const std::string& text : e.would_help) json.value({}, text);
    json.end();
    json.begin_array("options");
    for (const ExplainedOption& o : e.options) {
      json.begin_object({}, JsonWriter::Layout::kInline);
      json.value("accelerator", o.accelerator);
      json.value("type", o.type);
      json.value("numReplicas", o.num_replicas);
      json.value("maxBatch", o.max_batch);
      json.value("cards", o.cards);
      json.value("cost", o.cost);
      json.value("value", o.value);
      json.value("objective", o.objective);
      if (o.priced_value) json.value("pricedValue", *o.priced_value);
      json.value("cardsLacking", o.cards_lacking);
      if (!o.limits_broken.empty()) json.value("limitsBroken", o.limits_broken);
      json.value("chosen", o.chosen);
      json.value("note", o.note);
      json.end();
    }
    json.end();
    json.end();
  }
  json.end();
  return json.take();
}

}  // namespace tonnage
