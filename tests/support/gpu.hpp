// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What a test that needs a GPU does on a machine without one. Owns: the skip, its printed reason,
// and the switch TONNAGE_REQUIRE_GPU=1 that turns the skip into a failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "tonnage/cuda/probe.hpp"

namespace tonnage::test {

inline bool gpu_required() {
  const char* value = std::getenv("TONNAGE_REQUIRE_GPU");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace tonnage::test

// First line of a GPU test body.
#define TONNAGE_NEEDS_GPU()                                                  \
  do {                                                                       \
    const ::tonnage::CudaProbe gpu_probe = ::tonnage::probe_cuda();          \
    if (!gpu_probe.usable) {                                                 \
      if (::tonnage::test::gpu_required()) {                                 \
        FAIL() << "TONNAGE_REQUIRE_GPU=1, but no GPU: " << gpu_probe.reason; \
      }                                                                      \
      GTEST_SKIP() << "needs a GPU: " << gpu_probe.reason;                   \
    }                                                                        \
  } while (false)
