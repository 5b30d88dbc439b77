// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Tables over batch sizes that all candidates of one line share. Owns: their storage.
#pragma once

#include <vector>

#include "host/evaluate/simd/sweep_kernel.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

class LineTables {
 public:
  // Prepares the tables of a line that needs_search(), up to its batch ceiling, or to `max_batch`
  // if > 0. `reciprocals` must reach that far and outlive the tables.
  const TabledLine& prepare(const ServerRow& server, const PerfRow& perf,
                            const std::vector<double>& reciprocals, std::int64_t max_batch = 0);
  [[nodiscard]] const TabledLine& line() const noexcept { return line_; }

 private:
  TabledLine line_{};
  std::vector<double> inv_mu_, chunks_, delta_ms_, work_ms_;
};

}  // namespace tonnage
