// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Whole searches over fleets of growing size. Owns: the fleets, and how the first search of a
// process is measured in a process of its own.
#pragma once

#include <cstdint>
#include <string>

#include "bench/gpu/groups/bench.hpp"

namespace tonnage::check {

inline constexpr std::int64_t kDifferentServers = 10'000;

// A fleet of `servers` servers on 24 accelerators; no line needs more than about 64 replicas. At
// most `different` servers differ; the fleet repeats them. `once`: one round.
struct SearchFleet {
  Problem once;
  std::int64_t rounds;

  SearchFleet(std::int64_t servers, const Evaluator& host,
              std::int64_t different = kDifferentServers);
  [[nodiscard]] Problem whole() const;
};

// Call in a process that has not used the device yet: searches the batch sizes of a fleet once, and
// returns the times as a line of text. `observed`: waits for every operation.
[[nodiscard]] std::string cold_search(const cuda::OpenDevices& open, std::int64_t servers,
                                      bool observed);
// Parses that line. Throws Failure if it is malformed.
[[nodiscard]] DeviceTimes read_times(const std::string& line);

}  // namespace tonnage::check
