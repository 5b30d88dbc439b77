// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Frontiers of servers from the points that a backend hands over: sorts them and drops dominated
// ones.
#include "tonnage/host/pareto.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>

#include "tonnage/core/error.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage {
namespace {

auto order_of(const ParetoPoint& p) {
  return std::tie(p.cost, p.ttft_ms, p.itl_ms, p.line, p.batch, p.replicas);
}

// The lower left staircase of the (TTFT, ITL) points seen so far.
class Stairs {
 public:
  // Whether a point seen is at least as good in both.
  [[nodiscard]] bool cover(double ttft, double itl) const {
    const auto after = stairs_.upper_bound(ttft);
    return after != stairs_.begin() && std::prev(after)->second <= itl;
  }
  void add(double ttft, double itl) {
    if (cover(ttft, itl)) return;
    auto next = stairs_.insert_or_assign(ttft, itl).first;
    for (++next; next != stairs_.end() && next->second >= itl;) next = stairs_.erase(next);
  }

 private:
  std::map<double, double> stairs_;
};

// Keeps the points that no earlier one beats, within the tolerance.
void keep_frontier(std::vector<ParetoPoint>& points, double tolerance) {
  std::sort(points.begin(), points.end(),
            [](const ParetoPoint& a, const ParetoPoint& b) { return order_of(a) < order_of(b); });
  Stairs stairs;
  const double slack = 1 + tolerance;
  std::erase_if(points, [&](const ParetoPoint& p) {
    if (stairs.cover(p.ttft_ms * slack, p.itl_ms * slack)) return true;
    stairs.add(p.ttft_ms, p.itl_ms);
    return false;
  });
}

}  // namespace

std::vector<ParetoFrontier> pareto_frontiers(const Evaluator& evaluator, const Problem& problem,
                                             std::span<const std::int64_t> servers,
                                             const ParetoOptions& options) {
  const bool percentile = options.ttft >= GridColumn::kTtftP50;
  if (!percentile && options.ttft != GridColumn::kTtft) {
    throw Error(ErrorCode::kInvalidInput, "the column of ParetoOptions::ttft is not a TTFT");
  }
  if (!(options.tolerance >= 0 && options.tolerance <= std::numeric_limits<double>::max())) {
    throw Error(ErrorCode::kInvalidInput, "the tolerance is " + std::to_string(options.tolerance) +
                                              ", expected a finite number from 0 on");
  }
  std::vector<std::int64_t> lines;
  for (const std::int64_t s : servers) {
    for (std::int64_t i = problem.first_line[s]; i < problem.first_line[s + 1]; ++i) {
      lines.push_back(i);
    }
  }
  GridOptions grid_options;
  grid_options.batches = options.batches;
  grid_options.replicas = options.replicas;
  grid_options.percentiles = percentile;
  grid_options.num_threads = options.num_threads;
  grid_options.progress = options.progress;
  const std::vector<GridLine> grid = plan_grid(problem, lines, grid_options);
  std::vector<std::vector<ParetoPoint>> by_line(grid.size());
  evaluator.points(problem, grid, grid_options, {options.ttft, options.ignore_targets},
                   [&](std::int64_t ordinal, std::span<const ParetoPoint> points) {
                     by_line[ordinal].assign(points.begin(), points.end());
                     keep_frontier(by_line[ordinal], 0);
                   });

  std::vector<ParetoFrontier> frontiers;
  std::size_t k = 0;
  for (const std::int64_t s : servers) {
    ParetoFrontier frontier{s, {}};
    for (; k < grid.size() && problem.lines[grid[k].line].server == s; ++k) {
      frontier.points.insert(frontier.points.end(), by_line[k].begin(), by_line[k].end());
      by_line[k] = {};
    }
    keep_frontier(frontier.points, options.tolerance);
    frontiers.push_back(std::move(frontier));
  }
  return frontiers;
}

}  // namespace tonnage
