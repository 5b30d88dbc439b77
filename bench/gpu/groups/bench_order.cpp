// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The ordering of lines on the device, compared with sorting on the CPU.
#include <algorithm>
#include <numeric>

#include "bench/gpu/groups/bench.hpp"
#include "bench/gpu/random_problem.hpp"
#include "cuda/src/search/line_order.hpp"

namespace tonnage::check {
namespace {

using cuda::Buffer;
using cuda::MemoryKind;

std::vector<std::int32_t> order_on_cpu(const Problem& problem) {
  cuda::ChunkRows rows{};
  rows.servers = problem.servers.data();
  rows.perfs = problem.perfs.data();
  rows.lines = problem.lines.data();
  const cuda::KeyOfLine key_of{rows};
  std::vector<std::uint32_t> keys(problem.lines.size());
  std::vector<std::int32_t> order(problem.lines.size());
  std::iota(order.begin(), order.end(), 0);
  for (const std::int32_t i : order) keys[i] = key_of(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return keys[a] < keys[b]; });
  return order;
}

// The lines of a problem on a device, and the destination of their order.
class OrderOnDevice {
 public:
  OrderOnDevice(cuda::Device& device, const Problem& problem)
      : count_(std::ssize(problem.lines)),
        pinned_(device, MemoryKind::kPinned, most_bytes(problem)),
        servers_(device, MemoryKind::kDevice, std::ssize(problem.servers)),
        perfs_(device, MemoryKind::kDevice, std::ssize(problem.perfs)),
        lines_(device, MemoryKind::kDevice, count_),
        keys_(device, MemoryKind::kDevice, count_),
        order_(device, MemoryKind::kDevice, count_),
        first_entry_(device, MemoryKind::kDevice, count_),
        begin_(device, MemoryKind::kDevice, cuda::kLineGroups + 1),
        arena_(device),
        stream_(device.make_stream()) {
    upload(servers_, problem.servers);
    upload(perfs_, problem.perfs);
    upload(lines_, problem.lines);
  }

  void run() {
    cuda::ChunkRows rows{};
    rows.servers = servers_.data();
    rows.perfs = perfs_.data();
    rows.lines = lines_.data();
    stream_->order(rows, {keys_.data(), order_.data(), first_entry_.data(), begin_.data()}, count_,
                   arena_);
    stream_->wait();
  }
  [[nodiscard]] std::vector<std::int32_t> order() {
    stream_->to_host(pinned_.data(), order_.data(),
                     static_cast<std::size_t>(count_) * sizeof(std::int32_t));
    stream_->wait();
    std::vector<std::int32_t> order(static_cast<std::size_t>(count_));
    std::copy_n(reinterpret_cast<const char*>(pinned_.data()), order.size() * sizeof(order[0]),
                reinterpret_cast<char*>(order.data()));
    return order;
  }

 private:
  static std::int64_t most_bytes(const Problem& problem) {
    return static_cast<std::int64_t>(
        std::max({problem.servers.size() * sizeof(ServerRow),
                  problem.perfs.size() * sizeof(PerfRow), problem.lines.size() * sizeof(LineRow)}));
  }
  template <class T>
  void upload(const Buffer<T>& to, const std::vector<T>& from) {
    const std::size_t bytes = from.size() * sizeof(T);
    std::copy_n(reinterpret_cast<const char*>(from.data()), bytes, pinned_.data());
    stream_->to_device(to.data(), pinned_.data(), bytes);
    stream_->wait();
  }

  std::int64_t count_;
  Buffer<char> pinned_;
  Buffer<ServerRow> servers_;
  Buffer<PerfRow> perfs_;
  Buffer<LineRow> lines_;
  Buffer<std::uint32_t> keys_;
  Buffer<std::int32_t> order_;
  Buffer<std::int64_t> first_entry_, begin_;
  cuda::Arena arena_;
  std::unique_ptr<cuda::Stream> stream_;  // last: it goes before the memory it works on
};

}  // namespace

void bench_order(Bench& bench) {
  constexpr std::int64_t kAccelerators = 24;
  for (std::int64_t servers : {50, 500, 12'000}) {
    servers = std::min(servers, bench.setup.chunk_lines / kAccelerators + 1);
    const Problem problem = random_problem({.servers = servers, .accelerators = kAccelerators});
    const std::string tail = "order/lines:" + std::to_string(problem.lines.size());
    const auto lines = static_cast<double>(problem.lines.size());
    bench.measure("cpu/" + tail, [&] {
      return Measure{bench.fastest([&] { (void)order_on_cpu(problem); }), lines, "lines"};
    });
    if (!bench.has_gpu()) continue;
    bench.measure("gpu/" + tail, [&] {
      const auto devices = bench.setup.open();
      devices.front()->bind();
      OrderOnDevice on_device(*devices.front(), problem);
      on_device.run();
      if (on_device.order() != order_on_cpu(problem)) throw Failure("GPU and CPU differ");
      return Measure{bench.fastest([&] { on_device.run(); }), lines, "lines"};
    });
  }
}

}  // namespace tonnage::check
