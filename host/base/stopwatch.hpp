// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The time that work takes. Owns: the one clock of the library, which only ever goes forward.
#pragma once

#include <chrono>

namespace tonnage {

class Stopwatch {
 public:
  // Seconds since the stopwatch was made or its last lap ended.
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

  // The same, and a new lap begins.
  double lap() {
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace tonnage
