// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The workload of generated fleets. Owns: service classes with targets, and servers with loads.
// Independent of sizing.
#pragma once

#include <cstdint>
#include <vector>

#include "host/generate/catalog.hpp"
#include "host/generate/random.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage::generate {

// Three classes with targets for every model, derived from what the model's accelerators reach.
[[nodiscard]] std::vector<ServiceClassSpec> draw_classes(const std::vector<CatalogModel>& models,
                                                         std::uint64_t seed);

// Picks models by popularity: small ones have more servers.
class ModelPicker {
 public:
  explicit ModelPicker(const std::vector<CatalogModel>& models);
  [[nodiscard]] const CatalogModel& pick(Random& random) const;

 private:
  const std::vector<CatalogModel>* models_;
  std::vector<double> cumulative_;
};

// Draws server number `index` with its load and no current allocation.
[[nodiscard]] ServerSpec draw_server(std::int64_t index, const ModelPicker& models, Random& random);

}  // namespace tonnage::generate
