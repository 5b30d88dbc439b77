// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The list of fields of a grid: names, kinds and units.
#include "io/src/results/grid_fields.hpp"

#include <algorithm>

#include "tonnage/io/grid_io.hpp"

namespace tonnage {
namespace {

constexpr GridField kFields[] = {
    {"maxBatch", GridFieldKind::kBatch, {}, "batch size"},
    {"numReplicas", GridFieldKind::kReplicas, {}, "replicas"},
    {"verdict", GridFieldKind::kVerdict, {}, "feasible, or the target it misses most"},
    {"cost", GridFieldKind::kColumn, GridColumn::kCost, "cents/hour, all replicas"},
    {"cards", GridFieldKind::kCards, {}, "cards of the accelerator's type"},
    {"goodputRPM", GridFieldKind::kColumn, GridColumn::kGoodput,
     "requests/min that all replicas answer"},
    {"dropProbability", GridFieldKind::kColumn, GridColumn::kDrop, "of a request"},
    {"itlAverage", GridFieldKind::kColumn, GridColumn::kItl, "ms"},
    {"ttftAverage", GridFieldKind::kColumn, GridColumn::kTtft, "ms"},
    {"waitAverage", GridFieldKind::kColumn, GridColumn::kWait, "ms"},
    {"prefillAverage", GridFieldKind::kColumn, GridColumn::kPrefill, "ms"},
    {"respTimeAverage", GridFieldKind::kColumn, GridColumn::kResponse, "ms, to the last token"},
    {"rho", GridFieldKind::kColumn, GridColumn::kRho, "mean share of the batch in use"},
    {"powerW", GridFieldKind::kColumn, GridColumn::kPower, "W, all replicas"},
    {"ttftP50", GridFieldKind::kColumn, GridColumn::kTtftP50, "ms"},
    {"ttftP90", GridFieldKind::kColumn, GridColumn::kTtftP90, "ms"},
    {"ttftP95", GridFieldKind::kColumn, GridColumn::kTtftP95, "ms"},
    {"ttftP99", GridFieldKind::kColumn, GridColumn::kTtftP99, "ms"},
};

}  // namespace

std::span<const GridField> grid_fields() { return kFields; }

std::vector<GridField> chosen_grid_fields(const std::vector<std::string>& names) {
  std::vector<GridField> chosen;
  for (const GridField& field : kFields) {
    if (std::find(names.begin(), names.end(), field.name) != names.end()) chosen.push_back(field);
  }
  return chosen;
}

std::vector<std::string> grid_field_names(bool percentiles) {
  std::vector<std::string> names;
  for (const GridField& field : kFields) {
    const bool is_percentile =
        field.kind == GridFieldKind::kColumn && field.column >= GridColumn::kTtftP50;
    if (percentiles || !is_percentile) names.emplace_back(field.name);
  }
  return names;
}

}  // namespace tonnage
