#include <chrono>

#include "ceilings.hpp"
#include "check.hpp"

namespace tonnage::check {
namespace {

constexpr int kChains = 8;  // independent fused multiply-adds of a thread
constexpr int kSteps = 4096;
constexpr int kThreads = 256;
constexpr int kBlocksPerSm = 8;

__global__ void fma_kernel(double* out, double factor) {
  double x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = threadIdx.x + i;
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) x[i] = fma(x[i], factor, 0.5);
  }
  double sum = 0;
  for (int i = 0; i < kChains; ++i) sum += x[i];
  out[blockIdx.x * kThreads + threadIdx.x] = sum;
}

// Seconds of the fastest of some runs.
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

struct DeviceMemory {
  explicit DeviceMemory(std::size_t bytes) { TONNAGE_CUDA_CHECK(cudaMalloc(&data, bytes)); }
  ~DeviceMemory() { (void)cudaFree(data); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  void* data = nullptr;
};

}  // namespace

Ceilings measure_ceilings() {
  int device = 0, sms = 0;
  TONNAGE_CUDA_CHECK(cudaGetDevice(&device));
  TONNAGE_CUDA_CHECK(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device));
  Ceilings c;
  {
    const int blocks = sms * kBlocksPerSm;
    const DeviceMemory out(sizeof(double) * blocks * kThreads);
    const int launches = 16;
    const double seconds = fastest([&] {
      for (int i = 0; i < launches; ++i) {
        fma_kernel<<<blocks, kThreads>>>(static_cast<double*>(out.data), 0.999);
      }
      TONNAGE_CUDA_CHECK(cudaGetLastError());
    });
    c.fma_per_second = 1.0 * launches * blocks * kThreads * kSteps * kChains / seconds;
  }
  {
    const std::size_t bytes = std::size_t{1} << 30;
    const DeviceMemory from(bytes), to(bytes);
    const double seconds = fastest([&] {
      TONNAGE_CUDA_CHECK(cudaMemcpy(to.data, from.data, bytes, cudaMemcpyDeviceToDevice));
    });
    c.copied_bytes_per_second = 2.0 * static_cast<double>(bytes) / seconds;
  }
  {
    const std::size_t bytes = std::size_t{1} << 28;
    const DeviceMemory from(bytes);
    void* to = nullptr;
    TONNAGE_CUDA_CHECK(cudaMallocHost(&to, bytes));
    const double seconds = fastest(
        [&] { TONNAGE_CUDA_CHECK(cudaMemcpy(to, from.data, bytes, cudaMemcpyDeviceToHost)); });
    TONNAGE_CUDA_CHECK(cudaFreeHost(to));
    c.to_host_bytes_per_second = static_cast<double>(bytes) / seconds;
  }
  return c;
}

}  // namespace tonnage::check
