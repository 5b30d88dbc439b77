// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A warp of 32 threads as kernel bodies see it: per-thread values, steps that every thread takes,
// and the few collectives between steps. On the device a per-thread value is a register and a step
// is the code itself; the emulation (tests/parity) keeps arrays of 32 and loops. Owns: the warp of
// the device.
#pragma once

#include <cstdint>

#include "tonnage/core/lanes.hpp"

namespace tonnage::cuda {

inline constexpr int kWarpSize = 32;

#if defined(__CUDACC__)

struct DeviceWarp {
  // The lane type of the shared numerics: each thread computes its own lane.
  using Real = double;

  // One value per thread.
  template <class T>
  struct Each {
    T value;
    __device__ T& operator[](int) { return value; }
    __device__ const T& operator[](int) const { return value; }
  };

  int thread;  // 0 .. 31

  // Runs step(t) on every thread t.
  template <class Step>
  __device__ __forceinline__ void each(const Step& step) const {
    step(thread);
  }
  // Runs step() on one thread, for writes that a warp makes once.
  template <class Step>
  __device__ __forceinline__ void once(const Step& step) const {
    if (thread == 0) step();
  }
  // Orders reads before it before writes after it.
  __device__ __forceinline__ void sync() const { __syncwarp(); }
  // Mask whose bit t is the condition on thread t.
  __device__ __forceinline__ std::uint32_t ballot(bool condition) const {
    return __ballot_sync(~0u, condition);
  }
  __device__ __forceinline__ std::uint32_t ballot(const Each<bool>& condition) const {
    return __ballot_sync(~0u, condition.value);
  }
  // The value of thread `source`.
  template <class T>
  __device__ __forceinline__ T from(const Each<T>& values, int source) const {
    return __shfl_sync(~0u, values.value, source);
  }
  // Gives each thread the value of the thread that it names.
  template <class T>
  __device__ __forceinline__ Each<T> gather(const Each<T>& values, const Each<int>& sources) const {
    return {__shfl_sync(~0u, values.value, sources.value)};
  }
  __device__ __forceinline__ std::uint32_t least(const Each<std::uint32_t>& values) const {
    return __reduce_min_sync(~0u, values.value);
  }
  __device__ __forceinline__ std::uint32_t sum(const Each<std::uint32_t>& values) const {
    return __reduce_add_sync(~0u, values.value);
  }
  // Bitwise or over all threads.
  __device__ __forceinline__ std::uint32_t merge(const Each<std::uint32_t>& values) const {
    return __reduce_or_sync(~0u, values.value);
  }
  // Type of a thread's replica counts as a lane.
  __device__ __forceinline__ Real lanes(const Each<double>& values) const { return values.value; }
  // Adds to a counter shared by many warps; integers, so the order does not matter.
  __device__ __forceinline__ void add(std::int64_t* counter, std::int64_t amount) const {
    if (thread == 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(counter),
                static_cast<unsigned long long>(amount));
    }
  }
};

#endif

// Position of the lowest set bit of a mask that is not 0.
TONNAGE_HD int lowest_bit(std::uint32_t mask) {
#if defined(__CUDA_ARCH__)
  return __ffs(static_cast<int>(mask)) - 1;
#else
  return __builtin_ctz(mask);
#endif
}
TONNAGE_HD int bit_count(std::uint32_t mask) {
#if defined(__CUDA_ARCH__)
  return __popc(mask);
#else
  return __builtin_popcount(mask);
#endif
}

}  // namespace tonnage::cuda
