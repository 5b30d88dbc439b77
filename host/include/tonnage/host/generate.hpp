// Synthetic fleets of any size: accelerators, prices and models of public knowledge, loads drawn
// from a seed. Owns: the options and their limits. What is drawn how: docs/fleets.md.
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
  // Cards of each type over those that the unlimited optimum of the fleet uses, rounded up.
  double tightness = 1.0;  // kMinTightness .. kMaxTightness
};

// The fleet of these options, with limited capacity and saturation policy None. Uses only
// arithmetic that IEEE 754 fixes, so the same options give the same figures on every platform.
// Every server has at least one feasible candidate; no two options of a server have equal values.
// Sizes the fleet on all processors to know the capacity. Throws Error (kInvalidInput) for options
// out of range.
[[nodiscard]] SystemSpec generate_fleet(const GenerateOptions& options,
                                        const ProgressCallback& progress = {});

}  // namespace tonnage
