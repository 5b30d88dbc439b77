// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The catalogue behind generated fleets. Owns: which accelerators and models a fleet of a given
// size has, and their figures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tonnage/core/spec.hpp"

namespace tonnage::generate {

// The first `count` accelerators of the catalogue, priced for this seed.
[[nodiscard]] std::vector<AcceleratorSpec> catalog_accelerators(std::int64_t count,
                                                                std::uint64_t seed);

struct CatalogModel {
  std::string name;
  double params_billion;             // all of them
  std::vector<ModelPerfSpec> perfs;  // on the accelerators whose memory suffices, never empty
};

// The first `count` models with their performance on the first `num_accelerators` accelerators.
[[nodiscard]] std::vector<CatalogModel> catalog_models(std::int64_t count,
                                                       std::int64_t num_accelerators,
                                                       std::uint64_t seed);

}  // namespace tonnage::generate
