// What a server can have for its money: the candidates that no other beats in cost, TTFT and ITL.
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
  // A point must be better by more than this, relatively, than the points as cheap in TTFT or ITL.
  double tolerance = 0;
  int num_threads = 0;
  ProgressCallback progress;
};

// The frontier of each server of `servers` (indices into problem.servers) over all its lines; of
// equal points the first by accelerator, batch size and replica count stays. Sweeps the whole grid:
// memory is that of the frontiers and of one block per thread.
[[nodiscard]] std::vector<ParetoFrontier> pareto_frontiers(const Evaluator& evaluator,
                                                           const Problem& problem,
                                                           std::span<const std::int64_t> servers,
                                                           const ParetoOptions& options);

}  // namespace tonnage
