// The probe of a build without CUDA.
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

}  // namespace tonnage
