// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Branch and bound that raises the bound of a stage. Owns: the tree of branching decisions on the
// LP relaxation. Unlike the tree of prices (price_tree.hpp) it makes no plans.
#pragma once

#include <cstdint>
#include <functional>

#include "host/select/price/proof/lp_relaxation.hpp"

namespace tonnage::price {

struct CertifyLimits {
  double enough = 0;      // a bound that needs no raising
  std::int64_t work = 0;  // passes over the fleet times servers
};

// Branches best-first until the bound is enough, stops rising, or the work is done. Returns the
// least bound of the open nodes, which no plan is below. `root`: the relaxation without decisions.
// Calls see(choices) for the solution of every node, which may be a better plan.
[[nodiscard]] double certify(Relaxer& relaxer, const Relaxed& root, const CertifyLimits& limits,
                             const std::function<void(const Assignment&)>& see);

}  // namespace tonnage::price
