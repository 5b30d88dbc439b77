// Launches of the kernels on a CUDA stream.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels.hpp"

namespace tonnage::cuda {

// Starts the kernel over items 0 .. count - 1; cudaGetLastError() tells of a refused launch.
void launch_kernel(const Kernel& kernel, std::int64_t count, cudaStream_t stream);

}  // namespace tonnage::cuda
