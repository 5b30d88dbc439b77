// The benchmarks of a GPU machine on an emulated device: what they launch gives the CPU's answers,
// so that no time on a GPU is lost on a fault of theirs.
#include "kernel_times.hpp"

#include <gtest/gtest.h>

#include "emulated_device.hpp"

namespace tonnage {
namespace {

TEST(KernelTimes, CompareBeforeTheyTime) {
  test::EmulationLog log;
  const auto device = test::make_emulated_device({}, log);
  check::Report report;
  for (const std::int64_t q : {0, 8}) {
    check::time_sweep(*device, 64, q, 40, 3, report);
    check::time_table(*device, 64, q, 40, 3, report);
  }
  EXPECT_EQ(report.size(), 7u);
}

}  // namespace
}  // namespace tonnage
