// Frontiers as text.
#pragma once

#include <string>
#include <vector>

#include "tonnage/core/pareto.hpp"
#include "tonnage/core/problem.hpp"

namespace tonnage {

// {server: [{accelerator, maxBatch, numReplicas, cost, cards, ttft, itlAverage, rho,
// dropProbability, verdict}]}, points by cost. Cost in cents/hour, times in ms.
[[nodiscard]] std::string pareto_to_json(const Problem& problem,
                                         const std::vector<ParetoFrontier>& frontiers);
// The same as rows with a header, the server first.
[[nodiscard]] std::string pareto_to_csv(const Problem& problem,
                                        const std::vector<ParetoFrontier>& frontiers);

}  // namespace tonnage
