// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA probe on any machine: its statements must agree with each other and with the build.
#include "tonnage/cuda/probe.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace tonnage {
namespace {

TEST(CudaProbe, TellsWhatTheBuildHas) {
  const CudaProbe probe = probe_cuda();
  EXPECT_EQ(probe.compiled, TONNAGE_CUDA_ENABLED != 0);
  EXPECT_EQ(probe.runtime_version.empty(), !probe.compiled);
}

TEST(CudaProbe, IsUsableExactlyWhenItGivesNoReasonAgainst) {
  const CudaProbe probe = probe_cuda();
  EXPECT_EQ(probe.usable, probe.reason.empty()) << probe.reason;
  if (probe.usable) {
    EXPECT_TRUE(probe.compiled);
    EXPECT_GE(probe.device_count, 1);
    EXPECT_FALSE(probe.driver_version.empty());
  }
  EXPECT_EQ(static_cast<int>(probe.devices.size()), probe.device_count);
}

// Without the driver's kernel interface no device can exist, however the runtime words it.
TEST(CudaProbe, SeesNoDeviceWithoutADriver) {
  if (std::filesystem::exists("/dev/nvidiactl")) {
    GTEST_SKIP() << "this machine has an NVIDIA driver (/dev/nvidiactl)";
  }
  const CudaProbe probe = probe_cuda();
  EXPECT_FALSE(probe.usable);
  EXPECT_EQ(probe.device_count, 0);
  EXPECT_NE(probe.reason, "");
}

TEST(CudaProbe, AnswersTheSameTwice) {
  const CudaProbe first = probe_cuda();
  const CudaProbe second = probe_cuda();
  EXPECT_EQ(first.usable, second.usable);
  EXPECT_EQ(first.device_count, second.device_count);
  EXPECT_EQ(first.reason, second.reason);
}

}  // namespace
}  // namespace tonnage
