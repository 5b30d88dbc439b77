// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The probe of a build with CUDA: asks the runtime, and loads one kernel of this build to learn
// whether the first device can run it.
#include <cuda_runtime.h>

#include <exception>
#include <string>

#include "cuda/src/base/check.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage {
namespace {

__global__ void loadable_kernel() {}

// The runtime encodes 13.0 as 13000; 0 means none.
std::string version_text(int version) {
  if (version == 0) return {};
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

CudaDevice describe_device(int index) {
  cudaDeviceProp properties;
  TONNAGE_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
  return {.name = properties.name,
          .compute_major = properties.major,
          .compute_minor = properties.minor,
          .memory_bytes = properties.totalGlobalMem,
          .sm_count = properties.multiProcessorCount};
}

// Why no device can be counted. A missing driver is reported by the runtime as an insufficient one,
// so the driver's own version decides.
std::string no_device_reason(cudaError_t status, const CudaProbe& probe) {
  if (probe.driver_version.empty()) return "no NVIDIA driver is installed on this machine";
  if (status == cudaErrorInsufficientDriver) {
    return "the NVIDIA driver is too old: it supports CUDA " + probe.driver_version +
           ", this build needs " + probe.runtime_version;
  }
  if (status == cudaErrorNoDevice || status == cudaSuccess) {
    return "no CUDA device is visible on this machine";
  }
  return "the CUDA runtime cannot start: " + cuda::error_text(status);
}

void fill(CudaProbe& probe) {
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  probe.driver_version = version_text(driver);
  probe.runtime_version = version_text(runtime);

  int count = 0;
  const cudaError_t counted = cudaGetDeviceCount(&count);
  if (counted != cudaSuccess || count == 0) {
    (void)cudaGetLastError();
    probe.reason = no_device_reason(counted, probe);
    return;
  }
  probe.device_count = count;
  for (int index = 0; index < count; ++index) probe.devices.push_back(describe_device(index));

  cudaFuncAttributes attributes;
  const cudaError_t loaded = cudaFuncGetAttributes(&attributes, loadable_kernel);
  if (loaded != cudaSuccess) {
    (void)cudaGetLastError();
    probe.reason =
        "this build cannot run on " + probe.devices.front().name + ": " + cuda::error_text(loaded);
    return;
  }
  probe.usable = true;
}

}  // namespace

CudaProbe probe_cuda() noexcept {
  CudaProbe probe;
  probe.compiled = true;
  try {
    fill(probe);
  } catch (const std::exception& error) {
    try {
      probe.reason = error.what();
    } catch (...) {  // out of memory: the flags still tell the truth
    }
  }
  return probe;
}

}  // namespace tonnage
