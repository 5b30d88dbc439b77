// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Frontiers as JSON and as comma-separated values. Owns: the field names of these files.
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
// The same fields as comma-separated values with a header; server is the first column.
[[nodiscard]] std::string pareto_to_csv(const Problem& problem,
                                        const std::vector<ParetoFrontier>& frontiers);

}  // namespace tonnage
