// The CUDA evaluator: every line of a problem sized and searched on the GPUs of this machine, with
// the answers of the CPU bit for bit. Always there to be asked: its availability tells why it
// cannot be used, a build without CUDA included.
#pragma once

#include <memory>

#include "tonnage/core/evaluator.hpp"

namespace tonnage {

// `host` answers the lines that GPUs leave out (targets on a percentile, nothing to search) at the
// same time, and fills tables. Opens no device before it is asked to.
[[nodiscard]] std::unique_ptr<Evaluator> make_cuda_evaluator(std::unique_ptr<Evaluator> host);

}  // namespace tonnage
