// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Kernel launches on a CUDA stream. Owns: these declarations, which need CUDA headers.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "cuda/src/base/device.hpp"

namespace tonnage::cuda {

// Starts the kernel over items 0 .. count - 1; cudaGetLastError() reports a refused launch.
void launch_kernel(const Kernel& kernel, std::int64_t count, cudaStream_t stream);

// Stream::sum_before(). Without scratch memory it only sets `bytes` to the required size.
[[nodiscard]] cudaError_t launch_sum(std::int64_t* sums, const std::int64_t* counts,
                                     std::int64_t count, void* scratch, std::size_t& bytes,
                                     cudaStream_t stream);

// Stream::order(). Throws Error (kUnavailable) when the device fails, OutOfMemory from the arena.
void launch_order(const ChunkRows& rows, const LineOrder& to, std::int64_t count, Arena& arena,
                  cudaStream_t stream);

}  // namespace tonnage::cuda
