// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Grids on which the table and the points of backends are compared.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <vector>

#include "bench/gpu/random_problem.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage::test::samples {

// Longest line: emulated rows of longer ones take too long.
inline constexpr std::int64_t kLongest = 200;

// A fleet whose grids stay small enough for an emulation under sanitizers.
inline Problem sample_problem(std::int64_t servers, std::uint64_t seed,
                              std::int64_t longest = kLongest) {
  Problem problem = check::random_problem({.servers = servers, .seed = seed, .longest = longest});
  check::bound_replicas(problem, *select_backend("cpu"), 100);
  return problem;
}

inline std::vector<GridLine> grid_of(const Problem& problem, const GridOptions& options) {
  std::vector<std::int64_t> lines(problem.lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i] = static_cast<std::int64_t>(i);
  return plan_grid(problem, lines, options);
}

inline GridOptions sample_options(std::mt19937_64& engine) {
  GridOptions options;
  options.num_threads = 1 + static_cast<int>(engine() % 3);
  switch (engine() % 4) {
    case 0:
      options.batches = {1 + static_cast<std::int64_t>(engine() % 5), 150, 7};
      break;
    case 1:
      options.replicas = {1, 300, 11};
      break;
    case 2:
      options.batches = {0, 40, 1};
      options.replicas = {1, 40, 1};
      break;
    default:
      options.batches = {0, 0, 1 + static_cast<std::int64_t>(engine() % 4)};
      options.replicas = {0, 0, 5};
  }
  return options;
}

// Keeps only lines that devices search, at loads within their range, and gives every server a TTFT
// target on a percentile.
inline void hold_to_percentiles(Problem& problem) {
  std::erase_if(problem.lines, [&](const LineRow& line) {
    return !needs_search(problem.servers[line.server], problem.perfs[line.perf]);
  });
  double percentile = 50;
  for (ServerRow& server : problem.servers) {
    server.targets.ttft_ms = std::max(server.targets.ttft_ms, 300.0);
    server.targets.ttft_percentile = percentile = percentile < 99 ? percentile + 7 : 50;
    server.max_queue = std::max<std::int64_t>(server.max_queue, 20);
    server.total_rate_per_ms = std::min(server.total_rate_per_ms, 0.2);
  }
}

// The CPU evaluator with counters of its calls.
class CountingHost : public Evaluator {
 public:
  [[nodiscard]] std::string_view name() const override { return cpu_->name(); }
  [[nodiscard]] Availability availability() const override { return cpu_->availability(); }
  [[nodiscard]] SearchResult search(const Problem& problem,
                                    const SearchOptions& options) const override {
    ++asked;
    return cpu_->search(problem, options);
  }
  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    ++asked;
    cpu_->table(problem, grid, options, consumer);
  }
  void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
              const PointOptions& wanted, const PointConsumer& consumer) const override {
    ++asked;
    cpu_->points(problem, grid, options, wanted, consumer);
  }
  mutable std::atomic<int> asked{0};

 private:
  std::unique_ptr<Evaluator> cpu_ = select_backend("cpu");
};

// Lines with more load than the recursion over lanes can represent, from the first row or a later
// one on.
inline Problem overloaded_problem(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  Problem problem = check::random_problem({.servers = 30, .seed = engine(), .longest = kLongest});
  std::erase_if(problem.lines, [&](const LineRow& line) {
    return !needs_search(problem.servers[line.server], problem.perfs[line.perf]);
  });
  for (ServerRow& server : problem.servers) server.total_rate_per_ms *= engine() % 3 == 0 ? 1e5 : 1;
  return problem;
}

// Service that slows down with the batch, so that weights underflow in lanes before they rise
// again.
inline Problem faint_problem() {
  PerfRow perf{};
  perf.alpha_ms = 0.5;
  perf.beta_ms = 0.001;
  perf.gamma_ms = 0.001;
  perf.token_budget = 300;
  perf.cost_per_replica = 100;
  perf.valid = true;
  ServerRow server{};
  server.in_tokens = 20000;
  server.out_tokens = 2;
  server.targets.itl_ms = 1e6;
  server.max_batch = 1200;
  server.load_kind = LoadKind::kLoaded;
  const QueueShape shape = queue_shape(server, perf, server.max_batch);
  server.total_rate_per_ms = departure_rate(shape.service, 700);
  Problem problem;
  problem.accelerators.emplace_back(AcceleratorSpec{});
  problem.perfs.push_back(perf);
  problem.servers.push_back(server);
  problem.lines.push_back({0, 0});
  return problem;
}

}  // namespace tonnage::test::samples
