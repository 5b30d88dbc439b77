// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The order of a chunk's lines, from Thrust on its host system and from the emulated device,
// against one worked out line by line.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

#include "bench/gpu/random_problem.hpp"
#include "emulated_device.hpp"
#include "support/seed.hpp"
#include "thrust_order.hpp"

namespace tonnage {
namespace {

using cuda::kHostLine;
using cuda::kLineGroups;

struct Ordered {
  std::vector<std::int32_t> order;
  std::vector<std::int64_t> first_entry, begin;
};

// Expects lines by group, in each the longest first.
void expect_order(const Ordered& got, const Problem& problem, std::int64_t first) {
  const auto count = std::ssize(got.order);
  std::vector<int> groups(static_cast<std::size_t>(count));
  std::vector<std::int64_t> ceilings(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const LineRow& row = problem.lines[first + i];
    const ServerRow& server = problem.servers[row.server];
    const PerfRow& perf = problem.perfs[row.perf];
    groups[i] = cuda::line_group(server, perf);
    if (groups[i] == kHostLine) groups[i] = kLineGroups;
    ceilings[i] = groups[i] == kLineGroups ? 0 : batch_ceiling(server, perf);
  }
  std::vector<std::int32_t> want(static_cast<std::size_t>(count));
  std::iota(want.begin(), want.end(), 0);
  std::sort(want.begin(), want.end(), [&](std::int32_t a, std::int32_t b) {
    return std::tuple(groups[a], -ceilings[a], a) < std::tuple(groups[b], -ceilings[b], b);
  });
  EXPECT_EQ(got.order, want);
  std::int64_t entries = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    ASSERT_EQ(got.first_entry[i], entries) << "position " << i;
    entries += (ceilings[want[i]] + 31) / 32 * 32;
  }
  for (int group = 0; group <= kLineGroups; ++group) {
    EXPECT_EQ(got.begin[group],
              std::count_if(groups.begin(), groups.end(), [&](int g) { return g < group; }))
        << "group " << group;
  }
}

// A fleet with lines of every group, and lines for the host.
Problem sample_problem() {
  Problem problem = check::random_problem({.servers = 2000, .seed = testing::test_seed()});
  problem.servers[0].max_batch = kMaxBatchSize;
  return problem;
}

TEST(LineOrder, OnThrustsHostSystem) {
#if !TONNAGE_CUDA_ENABLED
  GTEST_SKIP() << "this build has no CUDA toolkit, so no Thrust";
#else
  const Problem problem = sample_problem();
  const std::int64_t server = 100, first = problem.first_line[server];
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{33}, std::ssize(problem.lines) - first}) {
    SCOPED_TRACE(count);
    const auto size = static_cast<std::size_t>(count);
    Ordered got{std::vector<std::int32_t>(size), std::vector<std::int64_t>(size),
                std::vector<std::int64_t>(kLineGroups + 1)};
    std::vector<std::uint32_t> keys(size);
    cuda::ChunkRows rows{};
    rows.servers = problem.servers.data() + server;
    rows.first_server = server;
    rows.perfs = problem.perfs.data();
    rows.lines = problem.lines.data() + first;
    test::order_on_thrust_host(
        rows, {keys.data(), got.order.data(), got.first_entry.data(), got.begin.data()}, count);
    expect_order(got, problem, first);
  }
#endif
}

TEST(LineOrder, OnTheEmulatedDevice) {
  using cuda::Buffer;
  using cuda::MemoryKind;
  const Problem problem = sample_problem();
  const std::int64_t count = std::ssize(problem.lines);
  test::EmulationLog log;
  const auto device = test::make_emulated_device({.seed = testing::test_seed()}, log);
  const auto stream = device->make_stream();
  const auto upload = [&]<class T>(const std::vector<T>& values) {
    const Buffer<T> pinned(*device, MemoryKind::kPinned, std::ssize(values));
    std::copy(values.begin(), values.end(), pinned.data());
    Buffer<T> there(*device, MemoryKind::kDevice, std::ssize(values));
    stream->to_device(there.data(), pinned.data(), values.size() * sizeof(T));
    stream->wait();
    return there;
  };
  const auto servers = upload(problem.servers);
  const auto perfs = upload(problem.perfs);
  const auto lines = upload(problem.lines);
  const auto keys = upload(std::vector<std::uint32_t>(static_cast<std::size_t>(count)));
  const auto order = upload(std::vector<std::int32_t>(static_cast<std::size_t>(count)));
  const auto first_entry = upload(std::vector<std::int64_t>(static_cast<std::size_t>(count)));
  const auto begin = upload(std::vector<std::int64_t>(kLineGroups + 1));
  cuda::ChunkRows rows{};
  rows.servers = servers.data();
  rows.perfs = perfs.data();
  rows.lines = lines.data();
  cuda::Arena arena(*device);
  stream->order(rows, {keys.data(), order.data(), first_entry.data(), begin.data()}, count, arena);
  stream->wait();
  expect_order({{order.data(), order.data() + count},
                {first_entry.data(), first_entry.data() + count},
                {begin.data(), begin.data() + kLineGroups + 1}},
               problem, 0);
}

TEST(Arena, GivesTheSameMemoryAgain) {
  test::EmulationLog log;
  const auto device = test::make_emulated_device({}, log);
  {
    cuda::Arena arena(*device);
    void* const large = arena.take(5000);
    void* const small = arena.take(100);
    std::memset(large, 1, 5000);
    std::memset(small, 1, 100);
    EXPECT_EQ(log.allocations, 2);
    arena.reset();
    EXPECT_EQ(arena.take(5000), large);
    EXPECT_EQ(arena.take(100), small);
    arena.reset();
    char* const first = static_cast<char*>(arena.take(100));
    EXPECT_EQ(first, large);
    EXPECT_GE(static_cast<char*>(arena.take(100)) - first, 100) << "side by side in one block";
    EXPECT_EQ(log.allocations, 2);
  }
  EXPECT_EQ(log.bytes_in_use, 0);
}

}  // namespace
}  // namespace tonnage
