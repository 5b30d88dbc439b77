// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA probe on a machine with a GPU.
#include <gtest/gtest.h>

#include "support/gpu.hpp"

namespace tonnage {
namespace {

TEST(CudaProbe, DescribesEveryDevice) {
  TONNAGE_NEEDS_GPU();
  const CudaProbe probe = probe_cuda();
  ASSERT_EQ(static_cast<int>(probe.devices.size()), probe.device_count);
  for (const CudaDevice& device : probe.devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_GE(device.compute_major, 5);
    EXPECT_GE(device.compute_minor, 0);
    EXPECT_GT(device.memory_bytes, 0u);
    EXPECT_GT(device.sm_count, 0);
  }
}

}  // namespace
}  // namespace tonnage
