// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Many copies of one line, for timing kernels on exactly known work. Owns: the line, its forms and
// its load.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "bench/gpu/report.hpp"
#include "cuda/src/search/line_kernels.hpp"
#include "tonnage/core/evaluator.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage::check {

// The code that a line runs through.
struct SampleForm {
  const char* name;
  bool stepped = false;     // chunk counts grow: 1/mu(n) from a table
  bool extended = false;    // a target on response time
  bool percentile = false;  // TTFT is held to its 95th percentile
};

struct Sample {
  SampleForm form;
  std::int64_t ceiling;
  std::int64_t max_queue;
  std::int64_t replicas;  // that the line needs at its ceiling

  [[nodiscard]] std::string name() const {
    return std::string(form.name) + "/M:" + std::to_string(ceiling) +
           "/Q:" + std::to_string(max_queue) + "/r:" + std::to_string(replicas);
  }
};

// `lines` copies of a line whose targets bind in the middle of the grid of batch sizes and replica
// counts. Throws Failure if the line is not of the requested form.
inline Problem sample_problem(const Sample& sample, std::int64_t lines, const Evaluator& host) {
  Problem p;
  PerfRow perf{};
  perf.alpha_ms = 12;
  perf.beta_ms = sample.form.stepped ? 0.005 : 0.05;
  perf.gamma_ms = sample.form.stepped ? 0.00005 : 0.0005;
  perf.token_budget = sample.form.stepped ? 2048 : 65536;
  perf.cost_per_replica = 100;
  perf.valid = true;
  ServerRow server{};
  server.in_tokens = sample.form.stepped ? 4096 : 512;
  server.out_tokens = 256;
  server.targets.itl_ms = 40;
  server.targets.ttft_ms = sample.form.stepped ? 2000 : 600;
  if (sample.form.extended) server.targets.e2e_ms = 30000;
  if (sample.form.percentile) server.targets.ttft_percentile = 95;
  server.max_batch = sample.ceiling;
  server.max_queue = sample.max_queue;
  server.total_rate_per_ms = 1e-9;
  server.load_kind = LoadKind::kLoaded;
  p.accelerators.emplace_back(AcceleratorSpec{});
  p.perfs.push_back(perf);
  p.servers.push_back(server);
  p.lines.push_back({0, 0});
  p.first_line = {0, 1};
  const LineOutcome at_ceiling = host.search(p, {}).lines[0];
  const auto kind = static_cast<cuda::LineKind>(cuda::line_group(server, perf) / 4);
  const bool is_stepped = kind >= cuda::LineKind::kStepped;
  if (!at_ceiling.feasible() || is_stepped != sample.form.stepped) {
    throw Failure("the sample line " + sample.name() + " is not of its form");
  }
  p.servers[0].total_rate_per_ms =
      (static_cast<double>(sample.replicas) - 0.5) * at_ceiling.rate_per_replica_per_ms;
  p.lines.assign(static_cast<std::size_t>(lines), LineRow{0, 0});
  p.first_line = {0, lines};
  return p;
}

// The grid of all lines of a problem.
inline std::vector<GridLine> whole_grid(const Problem& problem, const GridOptions& options) {
  std::vector<std::int64_t> lines(problem.lines.size());
  std::iota(lines.begin(), lines.end(), 0);
  return plan_grid(problem, lines, options);
}
inline std::int64_t num_candidates(const std::vector<GridLine>& grid) {
  return grid.empty() ? 0 : grid.back().offset + grid.back().num_candidates();
}

}  // namespace tonnage::check
