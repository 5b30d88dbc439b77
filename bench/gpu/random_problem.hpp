// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Random problems for comparing backends, and the bitwise comparison of answers. Owns: the drawing
// of rows, without spec files, so that a machine with only a compiler can build it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tonnage/core/evaluator.hpp"

namespace tonnage::check {

struct RandomOptions {
  std::int64_t servers = 100;
  std::int64_t accelerators = 6;
  std::uint64_t seed = 1;
  std::int64_t longest = 0;  // batch ceilings at most; 0: up to hundreds of thousands
  bool percentiles = true;   // also targets on percentiles of TTFT
};

// A fleet with every kind of line: growing chunk counts, ITL that can fall, idle and unplannable
// servers, invalid data, targets of every kind.
[[nodiscard]] Problem random_problem(const RandomOptions& options);

// Scales the loads down so that no line needs more than about `most` replicas at its ceiling or
// best batch size, as found by `host`. The whole grid of a line with millions of replicas would
// take days.
void bound_replicas(Problem& problem, const Evaluator& host, double most);

// Repeats the servers of the problem, each time with their lines.
[[nodiscard]] Problem repeated(const Problem& problem, std::int64_t times);

// Keeps only lines for which keeps(server, perf) holds, at most `most`, and their servers.
[[nodiscard]] Problem only_lines(
    const Problem& problem, std::int64_t most,
    const std::function<bool(const ServerRow& server, const PerfRow& perf)>& keeps);

// Describes the first line whose answers differ in any bit; empty if none does. Answers of a
// repeated problem are compared with those of one round.
[[nodiscard]] std::string first_difference(const std::vector<LineOutcome>& got,
                                           const std::vector<LineOutcome>& want,
                                           const Problem& problem);

}  // namespace tonnage::check
