// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The emulated device: guarded memory, streams that run their work late, and the launch of kernel
// bodies over blocks and warps in random order.
#include "emulated_device.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "wide_lane.hpp"

namespace tonnage::test {
namespace {

using cuda::kWarpSize;

// The emulation of the warp that cuda/src/base/warp.hpp describes.
struct EmulatedWarp {
  using Real = Wide;

  template <class T>
  struct Each {
    T values[kWarpSize] = {};
    T& operator[](int t) { return values[t]; }
    const T& operator[](int t) const { return values[t]; }
  };

  template <class Step>
  void each(const Step& step) const {
    for (int t = 0; t < kWarpSize; ++t) step(t);
  }
  template <class Step>
  void once(const Step& step) const {
    step();
  }
  void sync() const {}
  [[nodiscard]] std::uint32_t ballot(WideMask condition) const { return condition.bits; }
  [[nodiscard]] std::uint32_t ballot(const Each<bool>& condition) const {
    return Wide::test([&](int t) { return condition[t]; }).bits;
  }
  template <class T>
  [[nodiscard]] T from(const Each<T>& values, int source) const {
    return values[source];
  }
  template <class T>
  [[nodiscard]] Each<T> gather(const Each<T>& values, const Each<int>& sources) const {
    Each<T> r;
    for (int t = 0; t < kWarpSize; ++t) r[t] = values[sources[t]];
    return r;
  }
  [[nodiscard]] std::uint32_t least(const Each<std::uint32_t>& values) const {
    return *std::min_element(values.values, values.values + kWarpSize);
  }
  [[nodiscard]] std::uint32_t sum(const Each<std::uint32_t>& values) const {
    return std::accumulate(values.values, values.values + kWarpSize, std::uint32_t{0});
  }
  [[nodiscard]] std::uint32_t merge(const Each<std::uint32_t>& values) const {
    return std::accumulate(values.values, values.values + kWarpSize, std::uint32_t{0},
                           [](std::uint32_t a, std::uint32_t b) { return a | b; });
  }
  [[nodiscard]] Real lanes(const Each<double>& values) const {
    return Wide::map([&](int t) { return values[t]; });
  }
  void add(std::int64_t* counter, std::int64_t amount) const { *counter += amount; }
};

template <class Body>
void run_grid(const Body& body, std::int64_t count, std::mt19937_64& engine) {
  const std::int64_t items_per_block = cuda::kBlockThreads / Body::kThreadsPerItem;
  std::vector<std::int64_t> blocks((count + items_per_block - 1) / items_per_block);
  std::iota(blocks.begin(), blocks.end(), 0);
  std::shuffle(blocks.begin(), blocks.end(), engine);
  for (const std::int64_t block : blocks) {
    for (std::int64_t i = 0; i < items_per_block; ++i) {
      const std::int64_t item = block * items_per_block + i;
      if (item >= count) break;
      if constexpr (Body::kThreadsPerItem == 1) {
        body(item);
      } else {
        body(EmulatedWarp{}, item);
      }
    }
  }
}

// Guard bytes on both sides of a block. Under the address sanitizer the ends of the block are
// watched instead.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kGuard = 0;
#else
constexpr std::size_t kGuard = 16384;
#endif
constexpr unsigned char kGuardByte = 0xa5;

// State that the device and its streams share. Every call except kernels themselves holds the
// mutex.
struct Machine {
  EmulationOptions options;
  EmulationLog& log;
  std::mutex mutex;
  std::mt19937_64 engine;
  std::map<void*, std::size_t> device_memory, pinned_memory;
  bool lost = false;

  void check() const {
    if (lost) throw Error(ErrorCode::kUnavailable, "the emulated device is lost");
  }
  void note_fault(const char* what) noexcept {
    if (log.fault.empty()) log.fault = what;
  }
  // Permits copies only between a pinned block and a device block, within both.
  void check_inside(const std::map<void*, std::size_t>& blocks, const void* memory,
                    std::size_t bytes) {
    auto it = blocks.upper_bound(const_cast<void*>(memory));
    const bool inside = it != blocks.begin() &&
                        static_cast<const char*>(memory) + bytes <=
                            static_cast<const char*>(std::prev(it)->first) + std::prev(it)->second;
    if (inside) return;
    note_fault("a copy leaves its memory block, or the block is gone or not of its kind");
    throw std::logic_error(log.fault);
  }

  // A block with random content, since nothing may be read before it is written.
  [[nodiscard]] void* make_block(std::size_t bytes) {
    auto* const all = static_cast<unsigned char*>(std::malloc(bytes + 2 * kGuard));
    if (all == nullptr) throw std::bad_alloc();
    std::memset(all, kGuardByte, kGuard);
    std::memset(all + kGuard, static_cast<int>(engine() & 0xff), bytes);
    std::memset(all + kGuard + bytes, kGuardByte, kGuard);
    return all + kGuard;
  }
  void end_block(void* memory, std::size_t bytes) noexcept {
    auto* const block = static_cast<unsigned char*>(memory);
    const auto untouched = [](unsigned char byte) { return byte == kGuardByte; };
    if (!std::all_of(block - kGuard, block, untouched) ||
        !std::all_of(block + bytes, block + bytes + kGuard, untouched)) {
      note_fault("something was written beside a memory block");
    }
    std::memset(block, 0xdd, bytes);
    std::free(block - kGuard);
  }
};

class EmulatedStream : public cuda::Stream {
 public:
  explicit EmulatedStream(Machine& machine) : machine_(machine) {
    const std::lock_guard lock(machine_.mutex);
    ++machine_.log.streams;
  }
  ~EmulatedStream() override {
    try {
      work();
    } catch (...) {  // in the log
    }
    const std::lock_guard lock(machine_.mutex);
    --machine_.log.streams;
  }

  void to_device(void* device, const void* pinned, std::size_t bytes) override {
    copy(machine_.device_memory, device, machine_.pinned_memory, pinned, bytes);
  }
  void to_host(void* pinned, const void* device, std::size_t bytes) override {
    copy(machine_.pinned_memory, pinned, machine_.device_memory, device, bytes);
    const std::lock_guard lock(machine_.mutex);
    if (++machine_.log.downloads != machine_.options.bad_download) return;
    queue_.push_back([pinned, bytes] {
      for (std::size_t i = 0; i < bytes; i += 8) static_cast<char*>(pinned)[i] ^= 1;
    });
  }
  void zero(void* device, std::size_t bytes) override {
    give([this, device, bytes](bool now) {
      if (bytes == 0) return;
      machine_.check_inside(machine_.device_memory, device, bytes);
      if (now) std::memset(device, 0, bytes);
    });
  }
  void launch(const cuda::Kernel& kernel, std::int64_t count) override {
    std::int64_t number = 0;
    std::uint64_t seed = 0;
    {
      const std::lock_guard lock(machine_.mutex);
      machine_.check();
      number = ++machine_.log.launches;
      if (number == machine_.options.fail_launch) machine_.lost = true;
      machine_.check();
      seed = machine_.engine();
    }
    if (machine_.options.on_launch) machine_.options.on_launch(number);
    queue_.push_back([kernel, count, seed] {
      std::mt19937_64 engine(seed);
      std::visit([&](const auto& body) { run_grid(body, count, engine); }, kernel);
    });
  }
  // Overwrites the scratch memory, as a real implementation may.
  void sum_before(std::int64_t* sums, const std::int64_t* counts, std::int64_t count, void* scratch,
                  std::size_t bytes) override {
    if (bytes < kScratch) throw std::logic_error("too little scratch for sums");
    give([=, this](bool now) {
      const std::size_t size = static_cast<std::size_t>(count) * sizeof(std::int64_t);
      machine_.check_inside(machine_.device_memory, sums, size);
      machine_.check_inside(machine_.device_memory, counts, size);
      machine_.check_inside(machine_.device_memory, scratch, bytes);
      if (!now) return;
      std::exclusive_scan(counts, counts + count, sums, std::int64_t{0});
      std::memset(scratch, 0xee, bytes);
    });
  }
  [[nodiscard]] std::size_t scratch_of_sum(std::int64_t) override { return kScratch; }
  void order(const cuda::ChunkRows& rows, const cuda::LineOrder& to, std::int64_t count,
             cuda::Arena& arena) override {
    arena.reset();
    const auto bytes = static_cast<std::size_t>(count) * sizeof(std::uint32_t);
    auto* const sorted = static_cast<std::uint32_t*>(arena.take(bytes));  // also asks for memory
    give([=, this](bool now) {
      for (const auto& [memory, size] :
           {std::pair<const void*, std::size_t>{rows.lines,
                                                static_cast<std::size_t>(count) * sizeof(LineRow)},
            {to.keys, bytes},
            {to.order, bytes},
            {to.first_entry, 2 * bytes},
            {to.begin, (cuda::kLineGroups + 1) * sizeof(std::int64_t)},
            {sorted, bytes}}) {
        machine_.check_inside(machine_.device_memory, memory, size);
      }
      if (now) order_lines(rows, to, count, sorted);
    });
  }
  void wait() override {
    work();
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
  }

 private:
  static constexpr std::size_t kScratch = 100;

  // Work that checks its memory on submission, step(false), and on completion, step(true).
  template <class Step>
  void give(const Step& step) {
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
    step(false);
    queue_.push_back([this, step] {
      const std::lock_guard done(machine_.mutex);
      step(true);
    });
  }
  // Runs all submitted work; missing memory fails the call at the end.
  void work() {
    std::exception_ptr first;
    for (const auto& step : std::exchange(queue_, {})) {
      try {
        step();
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
  }

  void copy(const std::map<void*, std::size_t>& to_blocks, void* to,
            const std::map<void*, std::size_t>& from_blocks, const void* from, std::size_t bytes) {
    give([=, this, &to_blocks, &from_blocks](bool now) {
      if (bytes == 0) return;
      machine_.check_inside(to_blocks, to, bytes);
      machine_.check_inside(from_blocks, from, bytes);
      if (now) std::memcpy(to, from, bytes);
    });
  }

  static void order_lines(const cuda::ChunkRows& rows, const cuda::LineOrder& to,
                          std::int64_t count, std::uint32_t* sorted) {
    const cuda::KeyOfLine key{rows};
    std::iota(to.order, to.order + count, 0);
    std::stable_sort(to.order, to.order + count,
                     [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
    for (std::int64_t i = 0; i < count; ++i) sorted[i] = key(to.order[i]);
    std::copy_n(sorted, count, to.keys);
    for (int group = 0; group <= cuda::kLineGroups; ++group) {
      to.begin[group] =
          std::lower_bound(sorted, sorted + count, cuda::first_key_of_group(group)) - sorted;
    }
    std::transform_exclusive_scan(sorted, sorted + count, to.first_entry, std::int64_t{0},
                                  std::plus<>(), cuda::EntriesOfKey{});
  }

  Machine& machine_;
  std::vector<std::function<void()>> queue_;
};

class EmulatedDevice : public cuda::Device {
 public:
  EmulatedDevice(const EmulationOptions& options, EmulationLog& log)
      : machine_{options, log, {}, std::mt19937_64(options.seed), {}, {}} {}

  [[nodiscard]] std::string name() const override { return "emulated device"; }
  void bind() override {}

  [[nodiscard]] void* allocate(cuda::MemoryKind kind, std::size_t bytes) override {
    const std::lock_guard lock(machine_.mutex);
    EmulationLog& log = machine_.log;
    const EmulationOptions& options = machine_.options;
    const bool on_device = kind == cuda::MemoryKind::kDevice;
    ++log.allocations;
    if (log.allocations == options.bad_alloc_at) throw std::bad_alloc();
    const bool injected = options.fail_from > 0 && log.allocations >= options.fail_from &&
                          log.allocations < options.fail_from + options.fail_count;
    const bool full = on_device && options.memory_bytes > 0 &&
                      log.bytes_in_use + static_cast<std::int64_t>(bytes) > options.memory_bytes;
    if (injected || full) {
      ++log.failed_allocations;
      throw cuda::OutOfMemory(kind, bytes);
    }
    void* const memory = machine_.make_block(bytes);
    (on_device ? machine_.device_memory : machine_.pinned_memory)[memory] = bytes;
    (on_device ? log.bytes_in_use : log.pinned_in_use) += static_cast<std::int64_t>(bytes);
    log.most_bytes = std::max(log.most_bytes, log.bytes_in_use);
    return memory;
  }
  void release(cuda::MemoryKind kind, void* memory) noexcept override {
    const std::lock_guard lock(machine_.mutex);
    const bool on_device = kind == cuda::MemoryKind::kDevice;
    auto& blocks = on_device ? machine_.device_memory : machine_.pinned_memory;
    const std::size_t bytes = blocks.at(memory);
    (on_device ? machine_.log.bytes_in_use : machine_.log.pinned_in_use) -=
        static_cast<std::int64_t>(bytes);
    blocks.erase(memory);
    machine_.end_block(memory, bytes);
  }

  [[nodiscard]] std::unique_ptr<cuda::Stream> make_stream() override {
    return std::make_unique<EmulatedStream>(machine_);
  }

 private:
  Machine machine_;
};

}  // namespace

std::unique_ptr<cuda::Device> make_emulated_device(const EmulationOptions& options,
                                                   EmulationLog& log) {
  return std::make_unique<EmulatedDevice>(options, log);
}

}  // namespace tonnage::test
