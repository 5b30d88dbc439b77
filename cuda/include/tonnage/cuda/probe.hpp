// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What CUDA offers in this build and on this machine. Owns: the result of the probe, which tells
// "compiled" (the build had a CUDA compiler) from "usable" (this machine can run the code).
//
// Example:
//   const tonnage::CudaProbe probe = tonnage::probe_cuda();
//   std::printf("usable: %d; %s\n", probe.usable, probe.reason.c_str());
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tonnage {

struct CudaDevice {
  std::string name;
  int compute_major = 0;  // compute capability, e.g. 9.0 on an H100
  int compute_minor = 0;
  std::uint64_t memory_bytes = 0;
  int sm_count = 0;
};

struct CudaProbe {
  bool compiled = false;        // the CUDA backend is part of this build
  bool usable = false;          // compiled, and the first device can run it
  int device_count = 0;         // devices the runtime can see; 0 whenever it cannot say
  std::string reason;           // why not usable; empty when usable
  std::string driver_version;   // newest CUDA version the driver supports, "13.0"; empty: no driver
  std::string runtime_version;  // CUDA runtime linked into this build; empty when not compiled
  std::vector<CudaDevice> devices;
};

// Asks the CUDA runtime what this machine has. Never throws: `reason` tells a build without CUDA
// from a missing or too old driver, a machine without a device, and a device that the code was not
// compiled for. The first call may take a second while the driver starts.
[[nodiscard]] CudaProbe probe_cuda() noexcept;

}  // namespace tonnage
