// Branch and bound that raises the bound of a stage. Owns: the tree of branching decisions on the
// LP relaxation. Unlike the tree of prices (price_tree.hpp) it makes no plans.
#pragma once

#include <cstdint>
#include <functional>

#include "host/select/price/proof/lp_relaxation.hpp"

namespace tonnage::price {

struct CertifyLimits {
  double enough = 0;      // a bound that needs no raising
  std::int64_t work = 0;  // passes over the fleet times players
};

// The bound of the least node left of a tree that grows where the bound is least: none of its plans
// is better. `root`: what is known without decisions. Calls see(choices) for what every node's
// solution amounts to, which may be a plan and a better one. Decides until the bound is enough,
// rises no more or the work is done.
[[nodiscard]] double certify(Relaxer& relaxer, const Relaxed& root, const CertifyLimits& limits,
                             const std::function<void(const Packing&)>& see);

}  // namespace tonnage::price
