// Whole searches over fleets of growing size. Owns: the fleets, and how the first search of a
// process is measured in a process of its own.
#pragma once

#include <cstdint>
#include <string>

#include "bench/gpu/groups/bench.hpp"

namespace tonnage::check {

inline constexpr std::int64_t kDifferentServers = 10'000;

// The fleet of so many servers on 24 accelerators, no line of which needs more than about 64
// replicas: up to so many different ones, over and over. `once`: one round of it.
struct SearchFleet {
  Problem once;
  std::int64_t rounds;

  SearchFleet(std::int64_t servers, const Evaluator& host,
              std::int64_t different = kDifferentServers);
  [[nodiscard]] Problem whole() const;
};

// In a process that has not touched the device yet: searches the batch sizes of a fleet once, and
// tells the times as a line of text. `observed`: with every operation waited for.
[[nodiscard]] std::string cold_search(const cuda::OpenDevices& open, std::int64_t servers,
                                      bool observed);
// Reads that line. Throws Failure if it is none.
[[nodiscard]] DeviceTimes read_times(const std::string& line);

}  // namespace tonnage::check
