// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// How CUDA runtime errors become tonnage errors. Owns: the one check macro.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "tonnage/core/error.hpp"

namespace tonnage::cuda {

// "cudaErrorNoDevice (no CUDA-capable device is detected)".
inline std::string error_text(cudaError_t status) {
  return std::string(cudaGetErrorName(status)) + " (" + cudaGetErrorString(status) + ")";
}

// Throws Error(kUnavailable) naming the call's place and the runtime's error; no-op on success.
inline void check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // a non-sticky error must not surface again in a later call
  throw Error(ErrorCode::kUnavailable, std::string(file) + ":" + std::to_string(line) + ": " +
                                           call + ": " + error_text(status));
}

}  // namespace tonnage::cuda

// The file without its folders: messages are the same wherever the source was built.
#define TONNAGE_CUDA_CHECK(call) ::tonnage::cuda::check((call), #call, __FILE_NAME__, __LINE__)
