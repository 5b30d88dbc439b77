// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA evaluator on the GPUs of this machine against the CPU evaluator, bit for bit.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "bench/gpu/random_problem.hpp"
#include "bench/gpu/recorded.hpp"
#include "conformance_problems.hpp"
#include "cuda/src/base/device.hpp"
#include "support/gpu.hpp"
#include "support/seed.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/grid.hpp"

namespace tonnage {
namespace {

void expect_parity(const Problem& problem) {
  for (const BatchMode batch : {BatchMode::kMax, BatchMode::kSearch}) {
    SearchOptions options;
    options.batch = batch;
    const SearchResult want = select_backend("cpu")->search(problem, options);
    const SearchResult got = select_backend("cuda")->search(problem, options);
    EXPECT_EQ(check::first_difference(got.lines, want.lines, problem), "");
  }
}

TEST(CudaSearch, ConformanceFleetsAsOnTheCpu) {
  TONNAGE_NEEDS_GPU();
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    expect_parity(problem);
  }
}

TEST(CudaSearch, RandomFleetsAsOnTheCpu) {
  TONNAGE_NEEDS_GPU();
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 10; ++fleet) {
    SCOPED_TRACE(fleet);
    expect_parity(check::random_problem({.servers = 300, .seed = engine(), .longest = 2000}));
  }
}

void expect_table_parity(const Problem& problem) {
  GridOptions options;
  options.batches = {1, 400, 3};
  options.replicas = {0, 0, 5};
  std::vector<std::int64_t> lines(problem.lines.size());
  std::iota(lines.begin(), lines.end(), 0);
  const auto grid = plan_grid(problem, lines, options);
  check::RecordedTable got(grid), want(grid);
  select_backend("cpu")->table(problem, grid, options, want.consumer());
  select_backend("cuda")->table(problem, grid, options, got.consumer());
  EXPECT_EQ(got.difference(want), "");
  for (const bool ignore_targets : {false, true}) {
    const PointOptions wanted{GridColumn::kTtft, ignore_targets};
    check::RecordedPoints got_points(grid.size()), want_points(grid.size());
    select_backend("cpu")->points(problem, grid, options, wanted, want_points.consumer());
    select_backend("cuda")->points(problem, grid, options, wanted, got_points.consumer());
    EXPECT_EQ(got_points.difference(want_points), "");
  }
}

TEST(CudaTable, ConformanceFleetsAsOnTheCpu) {
  TONNAGE_NEEDS_GPU();
  const auto problems = test::conformance_problems();
  if (problems.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    expect_table_parity(problem);
  }
}

TEST(CudaTable, RandomFleetsAsOnTheCpu) {
  TONNAGE_NEEDS_GPU();
  std::mt19937_64 engine(testing::test_seed());
  for (int fleet = 0; fleet < 10; ++fleet) {
    SCOPED_TRACE(fleet);
    expect_table_parity(check::random_problem({.servers = 100, .seed = engine(), .longest = 2000}));
  }
}

TEST(CudaMemory, TooMuchIsAnErrorOfItsOwn) {
  TONNAGE_NEEDS_GPU();
  for (const auto& device : cuda::open_devices()) {
    device->bind();
    EXPECT_THROW((void)device->allocate(cuda::MemoryKind::kDevice, std::size_t{1} << 50),
                 cuda::OutOfMemory);
    // And the device works on.
    const cuda::Buffer<double> table(*device, cuda::MemoryKind::kDevice, 100);
    const cuda::Buffer<double> host(*device, cuda::MemoryKind::kPinned, 100);
    const auto stream = device->make_stream();
    stream->launch(cuda::FillReciprocals{table.data()}, 100);
    stream->to_host(host.data(), table.data(), 100 * sizeof(double));
    stream->wait();
    EXPECT_EQ(host[3], 1.0 / 3.0);
  }
}

}  // namespace
}  // namespace tonnage
