// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Frontiers of cost, TTFT and ITL: for each server the candidates that no other one beats. Owns:
// the options and the sweep over whole grids; what counts as a point is in tonnage/core/pareto.hpp.
//
// Example:
//   #include "tonnage/core/system.hpp"
//   #include "tonnage/host/backends.hpp"
//   const tonnage::Problem problem = tonnage::build_problem(tonnage::System());
//   const auto backend = tonnage::select_backend("cpu");
//   std::vector<std::int64_t> servers(problem.servers.size());
//   for (std::size_t i = 0; i < servers.size(); ++i) servers[i] = static_cast<std::int64_t>(i);
//   tonnage::ParetoOptions options;
//   options.tolerance = 0.01;
//   for (const auto& frontier : tonnage::pareto_frontiers(*backend, problem, servers, options)) {
//     std::printf("%zu points\n", frontier.points.size());
//   }
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/pareto.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

struct ParetoOptions {
  GridRange batches, replicas;          // as in GridOptions
  GridColumn ttft = GridColumn::kTtft;  // or one of its percentiles
  bool ignore_targets = false;          // also candidates that miss targets of their class
  // Relative improvement in TTFT or ITL that a point needs over the cheaper points.
  double tolerance = 0;
  int num_threads = 0;
  ProgressCallback progress;
};

// The frontier of each server of `servers` (indices into problem.servers) over all its lines. Of
// equal points the first by accelerator, batch size and replica count stays. Sweeps the whole grid;
// memory holds the frontiers and one block per thread. Throws Error (kInvalidInput) for a negative
// or non-finite tolerance or a column that is not a TTFT.
[[nodiscard]] std::vector<ParetoFrontier> pareto_frontiers(const Evaluator& evaluator,
                                                           const Problem& problem,
                                                           std::span<const std::int64_t> servers,
                                                           const ParetoOptions& options);

}  // namespace tonnage
