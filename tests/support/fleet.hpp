// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Small generated fleets of the test's seed.
#pragma once

#include <cstdint>

#include "support/seed.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/host/generate.hpp"

namespace tonnage::testing {

// `more_seed` gives another fleet.
inline SystemSpec small_fleet(double tightness, std::int64_t servers,
                              std::int64_t accelerators = 10, std::uint64_t more_seed = 0) {
  GenerateOptions options;
  options.servers = servers;
  options.accelerators = accelerators;
  options.models = 5;
  options.seed = test_seed() + more_seed;
  options.tightness = tightness;
  return generate_fleet(options);
}

}  // namespace tonnage::testing
