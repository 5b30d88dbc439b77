// The CUDA evaluator: every line of a problem sized, searched, tabled and looked through for
// frontiers on the GPUs of this machine, with the answers of the CPU bit for bit. Always there to
// be asked: its availability tells why it cannot be used, a build without CUDA included.
#pragma once

#include <memory>

#include "tonnage/core/evaluator.hpp"

namespace tonnage {

// `host` answers what GPUs leave out at the same time: lines with nothing to search, rows out of the
// range of the recursion (docs/dev/gpu.md). Opens no device before it is asked to.
[[nodiscard]] std::unique_ptr<Evaluator> make_cuda_evaluator(std::unique_ptr<Evaluator> host);

}  // namespace tonnage
