// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes frontiers as JSON and as comma-separated values.
#include "tonnage/io/pareto_io.hpp"

#include <string_view>

#include "io/src/json/json_writer.hpp"
#include "io/src/results/text_rendering.hpp"

namespace tonnage {
namespace {

// Calls visit(name, value) for the fields of a point, in the order of all outputs.
template <class Visit>
void for_each_field(const Problem& problem, const ParetoPoint& p, Visit visit) {
  const PerfRow& perf = problem.perfs[problem.lines[p.line].perf];
  visit("accelerator", std::string_view(problem.accelerators[perf.accelerator].name()));
  visit("maxBatch", p.batch);
  visit("numReplicas", p.replicas);
  visit("cost", p.cost);
  visit("cards", p.replicas * perf.cards_per_replica);
  visit("ttft", p.ttft_ms);
  visit("itlAverage", p.itl_ms);
  visit("rho", p.rho);
  visit("dropProbability", p.drop_probability);
  visit("verdict", to_string(p.verdict));
}

std::string csv_text(std::string_view text) { return csv_field(text); }
std::string csv_text(std::int64_t number) { return std::to_string(number); }
std::string csv_text(double number) { return number_text(number); }

}  // namespace

std::string pareto_to_json(const Problem& problem, const std::vector<ParetoFrontier>& frontiers) {
  JsonWriter json(JsonWriter::Unwritable::kReplace);
  json.begin_object();
  for (const ParetoFrontier& frontier : frontiers) {
    json.begin_array(problem.server_names[frontier.server]);
    for (const ParetoPoint& point : frontier.points) {
      json.begin_object({}, JsonWriter::Layout::kInline);
      for_each_field(problem, point,
                     [&](std::string_view name, auto value) { json.value(name, value); });
      json.end();
    }
    json.end();
  }
  json.end();
  return json.take();
}

std::string pareto_to_csv(const Problem& problem, const std::vector<ParetoFrontier>& frontiers) {
  std::string text =
      "server,accelerator,maxBatch,numReplicas,cost,cards,ttft,itlAverage,rho,dropProbability,"
      "verdict\r\n";
  for (const ParetoFrontier& frontier : frontiers) {
    for (const ParetoPoint& point : frontier.points) {
      text += csv_field(problem.server_names[frontier.server]);
      for_each_field(problem, point,
                     [&](std::string_view, auto value) { (text += ',') += csv_text(value); });
      text += "\r\n";
    }
  }
  return text;
}

}  // namespace tonnage
