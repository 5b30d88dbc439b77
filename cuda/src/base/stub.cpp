// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Stands in for CUDA in a build without it: no devices, and a probe that says so.
#include "cuda/src/base/device.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage {

CudaProbe probe_cuda() noexcept {
  CudaProbe probe;
  try {
    probe.reason = "this build has no CUDA backend (built without nvcc 12 or newer)";
  } catch (...) {  // out of memory: the flags still tell the truth
  }
  return probe;
}

std::vector<std::unique_ptr<cuda::Device>> cuda::open_devices() { return {}; }

}  // namespace tonnage
