// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The kernels: grid arithmetic around the bodies of kernels.hpp.
#include <cub/device/device_scan.cuh>

#include "cuda/src/base/launch.hpp"

namespace tonnage::cuda {
namespace {

// Two blocks must fit into a multiprocessor. Requiring no more leaves every kernel enough registers
// to avoid spills.
template <class Body>
__global__ void __launch_bounds__(kBlockThreads, 2)
    run_kernel(const __grid_constant__ Body body, std::int64_t count) {
  const std::int64_t thread = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x;
  const std::int64_t item = thread / Body::kThreadsPerItem;
  if (item >= count) return;
  if constexpr (Body::kThreadsPerItem == 1) {
    body(item);
  } else {
    static_assert(Body::kThreadsPerItem == kWarpSize);
    body(DeviceWarp{static_cast<int>(threadIdx.x % kWarpSize)}, item);
  }
}

}  // namespace

void launch_kernel(const Kernel& kernel, std::int64_t count, cudaStream_t stream) {
  if (count <= 0) return;
  std::visit(
      [&]<class Body>(const Body& body) {
        const std::int64_t threads = count * Body::kThreadsPerItem;
        const auto blocks = static_cast<unsigned>((threads + kBlockThreads - 1) / kBlockThreads);
        run_kernel<<<blocks, kBlockThreads, 0, stream>>>(body, count);
      },
      kernel);
}

cudaError_t launch_sum(std::int64_t* sums, const std::int64_t* counts, std::int64_t count,
                       void* scratch, std::size_t& bytes, cudaStream_t stream) {
  return cub::DeviceScan::ExclusiveSum(scratch, bytes, counts, sums, count, stream);
}

}  // namespace tonnage::cuda
