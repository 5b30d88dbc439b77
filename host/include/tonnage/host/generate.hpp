// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Synthetic fleets of any size: public prices and models, and loads drawn from a seed. Owns: the
// options and their limits. docs/fleets.md describes the distributions.
//
// Example:
//   #include "tonnage/io/spec_writer.hpp"
//   tonnage::GenerateOptions options;
//   options.servers = 1000;
//   options.tightness = 0.8;  // cards for about 80 % of the demand
//   const tonnage::SystemSpec fleet = tonnage::generate_fleet(options);
//   std::puts(tonnage::system_to_json(fleet).c_str());
#pragma once

#include <cstdint>

#include "tonnage/core/progress.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

inline constexpr std::int64_t kMaxGeneratedServers = 1'000'000;
inline constexpr std::int64_t kMaxGeneratedAccelerators = 64;
inline constexpr std::int64_t kMaxGeneratedModels = 64;
inline constexpr double kMinTightness = 0.01;
inline constexpr double kMaxTightness = 100;

struct GenerateOptions {
  std::int64_t servers = 100;      // 1 .. kMaxGeneratedServers
  std::int64_t accelerators = 12;  // 1 .. kMaxGeneratedAccelerators
  std::int64_t models = 8;         // 1 .. kMaxGeneratedModels
  std::uint64_t seed = 1;
  // Ratio of the cards of each type to the cards that the unlimited optimum of the fleet uses,
  // rounded up.
  double tightness = 1.0;  // kMinTightness .. kMaxTightness
};

// The fleet of these options, with limited capacity and saturation policy None. Uses only
// arithmetic that IEEE 754 fixes, so equal options give equal figures on every platform. Every
// server has at least one feasible candidate; no two options of a server have equal values. Sizes
// the fleet on all processors to derive the capacity. Throws Error (kInvalidInput) for options out
// of range.
[[nodiscard]] SystemSpec generate_fleet(const GenerateOptions& options,
                                        const ProgressCallback& progress = {});

}  // namespace tonnage
