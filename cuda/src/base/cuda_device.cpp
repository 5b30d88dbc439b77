// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA devices of this machine behind the Device interface: memory, streams and kernel
// launches.
#include <cuda_runtime.h>

#include "cuda/src/base/check.hpp"
#include "cuda/src/base/device.hpp"
#include "cuda/src/base/launch.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage::cuda {
namespace {

class CudaStream : public Stream {
 public:
  CudaStream() { TONNAGE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~CudaStream() override {
    (void)cudaStreamSynchronize(stream_);  // of a fault here the run has heard already
    (void)cudaStreamDestroy(stream_);
  }
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void to_device(void* device, const void* pinned, std::size_t bytes) override {
    TONNAGE_CUDA_CHECK(cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyHostToDevice, stream_));
  }
  void to_host(void* pinned, const void* device, std::size_t bytes) override {
    TONNAGE_CUDA_CHECK(cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, stream_));
  }
  void zero(void* device, std::size_t bytes) override {
    TONNAGE_CUDA_CHECK(cudaMemsetAsync(device, 0, bytes, stream_));
  }
  void launch(const Kernel& kernel, std::int64_t count) override {
    launch_kernel(kernel, count, stream_);
    TONNAGE_CUDA_CHECK(cudaGetLastError());
  }
  void sum_before(std::int64_t* sums, const std::int64_t* counts, std::int64_t count, void* scratch,
                  std::size_t bytes) override {
    TONNAGE_CUDA_CHECK(launch_sum(sums, counts, count, scratch, bytes, stream_));
  }
  [[nodiscard]] std::size_t scratch_of_sum(std::int64_t count) override {
    std::size_t bytes = 0;
    TONNAGE_CUDA_CHECK(launch_sum(nullptr, nullptr, count, nullptr, bytes, stream_));
    return bytes;
  }
  void order(const ChunkRows& rows, const LineOrder& to, std::int64_t count,
             Arena& arena) override {
    launch_order(rows, to, count, arena, stream_);
  }
  void wait() override { TONNAGE_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaGpu : public Device {
 public:
  CudaGpu(int index, std::string name) : index_(index), name_(std::move(name)) {}

  [[nodiscard]] std::string name() const override { return name_; }

  void bind() override { TONNAGE_CUDA_CHECK(cudaSetDevice(index_)); }

  [[nodiscard]] void* allocate(MemoryKind kind, std::size_t bytes) override {
    void* memory = nullptr;
    const cudaError_t status =
        kind == MemoryKind::kDevice ? cudaMalloc(&memory, bytes) : cudaMallocHost(&memory, bytes);
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      throw OutOfMemory(kind, bytes);
    }
    TONNAGE_CUDA_CHECK(status);
    return memory;
  }
  void release(MemoryKind kind, void* memory) noexcept override {
    if (kind == MemoryKind::kDevice) {
      (void)cudaFree(memory);
    } else {
      (void)cudaFreeHost(memory);
    }
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream() override {
    return std::make_unique<CudaStream>();
  }

 private:
  int index_;
  std::string name_;
};

}  // namespace

std::vector<std::unique_ptr<Device>> open_devices() {
  std::vector<std::unique_ptr<Device>> devices;
  const CudaProbe probe = probe_cuda();
  if (!probe.usable) return devices;
  for (int i = 0; i < probe.device_count; ++i) {
    devices.push_back(std::make_unique<CudaGpu>(i, probe.devices[i].name));
  }
  return devices;
}

}  // namespace tonnage::cuda
