// Random problems on which backends are compared, and the comparison, bit for bit. Rows are drawn
// directly, so that a machine with nothing but a compiler can build this.
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

// A fleet with every kind of line: chunk counts that grow, ITL that can turn down, idle and
// unplannable servers, invalid data, targets of every kind.
[[nodiscard]] Problem random_problem(const RandomOptions& options);

// Scales the loads down so that no line needs more than about `most` replicas at its ceiling or its
// best batch size, as `host` finds them: the whole grid of a line with millions would take days.
void bound_replicas(Problem& problem, const Evaluator& host, double most);

// The problem's servers over and over, each time with their lines.
[[nodiscard]] Problem repeated(const Problem& problem, std::int64_t times);

// Only the lines for which keeps(server, perf) holds, at most so many, and their servers.
[[nodiscard]] Problem only_lines(
    const Problem& problem, std::int64_t most,
    const std::function<bool(const ServerRow& server, const PerfRow& perf)>& keeps);

// What is different about the first line whose answers are not the same in every bit; empty when
// all are. Answers for a repeated problem are compared with those for one round of it.
[[nodiscard]] std::string first_difference(const std::vector<LineOutcome>& got,
                                           const std::vector<LineOutcome>& want,
                                           const Problem& problem);

}  // namespace tonnage::check
