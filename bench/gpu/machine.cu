// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Measures the ceilings of a GPU with its own kernels, and marks the range of a profiler.
#include <cuda_profiler_api.h>

#include <chrono>

#include "bench/gpu/machine.hpp"
#include "cuda/src/base/check.hpp"

namespace tonnage::check {
namespace {

constexpr int kChains = 8;  // independent fused multiply-adds of a thread
constexpr int kSteps = 4096;
constexpr int kThreads = 256;
constexpr int kBlocksPerSm = 8;

template <class Real>
__global__ void fma_kernel(Real* out, Real factor) {
  Real x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = static_cast<Real>(threadIdx.x + i);
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) x[i] = fma(x[i], factor, Real(0.5));
  }
  Real sum = 0;
  for (int i = 0; i < kChains; ++i) sum += x[i];
  out[blockIdx.x * kThreads + threadIdx.x] = sum;
}

// Seconds of the fastest of several runs.
template <class Run>
double fastest(const Run& run) {
  double best = 1e9;
  for (int repeat = 0; repeat < 10; ++repeat) {
    TONNAGE_CUDA_CHECK(cudaDeviceSynchronize());
    const auto start = std::chrono::steady_clock::now();
    run();
    TONNAGE_CUDA_CHECK(cudaDeviceSynchronize());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = seconds.count() < best ? seconds.count() : best;
  }
  return best;
}

class Memory {
 public:
  Memory(std::size_t bytes, bool pinned) : pinned_(pinned) {
    TONNAGE_CUDA_CHECK(pinned ? cudaMallocHost(&data, bytes) : cudaMalloc(&data, bytes));
  }
  ~Memory() { (void)(pinned_ ? cudaFreeHost(data) : cudaFree(data)); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data = nullptr;

 private:
  bool pinned_;
};

template <class Real>
Measure measure_fma() {
  int device = 0, sms = 0;
  TONNAGE_CUDA_CHECK(cudaGetDevice(&device));
  TONNAGE_CUDA_CHECK(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device));
  const int blocks = sms * kBlocksPerSm;
  const Memory out(sizeof(Real) * blocks * kThreads, false);
  constexpr int kLaunches = 16;
  const double seconds = fastest([&] {
    for (int i = 0; i < kLaunches; ++i) {
      fma_kernel<<<blocks, kThreads>>>(static_cast<Real*>(out.data), Real(0.999));
    }
    TONNAGE_CUDA_CHECK(cudaGetLastError());
  });
  return {seconds, 1.0 * kLaunches * blocks * kThreads * kSteps * kChains, "fma"};
}

// Bytes that cross a bus; a copy on the device reads and writes each byte.
Measure measure_copy(cudaMemcpyKind kind) {
  const bool inside = kind == cudaMemcpyDeviceToDevice;
  const std::size_t bytes = std::size_t{1} << (inside ? 30 : 28);
  const Memory from(bytes, kind == cudaMemcpyHostToDevice),
      to(bytes, kind == cudaMemcpyDeviceToHost);
  const double seconds =
      fastest([&] { TONNAGE_CUDA_CHECK(cudaMemcpy(to.data, from.data, bytes, kind)); });
  return {seconds, static_cast<double>(bytes) * (inside ? 2 : 1), "bytes"};
}

}  // namespace

std::vector<Ceiling> machine_ceilings() {
  return {{"float64-fma", measure_fma<double>},
          {"float32-fma", measure_fma<float>},
          {"copy-on-device", [] { return measure_copy(cudaMemcpyDeviceToDevice); }},
          {"copy-to-device", [] { return measure_copy(cudaMemcpyHostToDevice); }},
          {"copy-to-host", [] { return measure_copy(cudaMemcpyDeviceToHost); }}};
}

void profiler_range(bool begins) {
  TONNAGE_CUDA_CHECK(begins ? cudaProfilerStart() : cudaProfilerStop());
}

}  // namespace tonnage::check
