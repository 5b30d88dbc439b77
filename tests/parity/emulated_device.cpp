#include "emulated_device.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <vector>

#include "wide_lane.hpp"

namespace tonnage::test {
namespace {

using cuda::kWarpSize;

// The host's side of the contract in cuda/src/warp.hpp.
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

// State that the device and its streams share. Each call but the kernels themselves holds the
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
  // Copies only between a pinned block and a device block, inside both.
  static void check_inside(const std::map<void*, std::size_t>& blocks, const void* memory,
                           std::size_t bytes) {
    auto it = blocks.upper_bound(const_cast<void*>(memory));
    const bool inside = it != blocks.begin() &&
                        static_cast<const char*>(memory) + bytes <=
                            static_cast<const char*>(std::prev(it)->first) + std::prev(it)->second;
    if (!inside) throw std::logic_error("a copy leaves its memory block, or is not of its kind");
  }
};

class EmulatedStream : public cuda::Stream {
 public:
  explicit EmulatedStream(Machine& machine) : machine_(machine) {
    const std::lock_guard lock(machine_.mutex);
    ++machine_.log.streams;
  }
  ~EmulatedStream() override {
    const std::lock_guard lock(machine_.mutex);
    --machine_.log.streams;
  }

  void to_device(void* device, const void* pinned, std::size_t bytes) override {
    copy(machine_.device_memory, device, machine_.pinned_memory, pinned, bytes);
  }
  void to_host(void* pinned, const void* device, std::size_t bytes) override {
    copy(machine_.pinned_memory, pinned, machine_.device_memory, device, bytes);
  }
  void zero(void* device, std::size_t bytes) override {
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
    Machine::check_inside(machine_.device_memory, device, bytes);
    std::memset(device, 0, bytes);
  }
  void launch(const cuda::Kernel& kernel, std::int64_t count) override {
    std::mt19937_64 engine;
    {
      const std::lock_guard lock(machine_.mutex);
      machine_.check();
      if (++machine_.log.launches == machine_.options.fail_launch) machine_.lost = true;
      machine_.check();
      engine.seed(machine_.engine());
    }
    std::visit([&](const auto& body) { run_grid(body, count, engine); }, kernel);
  }
  // The scratch is written over, as by whoever works in it.
  void sum_before(std::int64_t* sums, const std::int64_t* counts, std::int64_t count, void* scratch,
                  std::size_t bytes) override {
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
    const std::size_t size = static_cast<std::size_t>(count) * sizeof(std::int64_t);
    Machine::check_inside(machine_.device_memory, sums, size);
    Machine::check_inside(machine_.device_memory, counts, size);
    Machine::check_inside(machine_.device_memory, scratch, bytes);
    if (bytes < kScratch) throw std::logic_error("too little scratch for sums");
    std::exclusive_scan(counts, counts + count, sums, std::int64_t{0});
    std::memset(scratch, 0xee, bytes);
  }
  [[nodiscard]] std::size_t scratch_of_sum(std::int64_t) override { return kScratch; }
  void order(const cuda::ChunkRows& rows, const cuda::LineOrder& to, std::int64_t count,
             cuda::Arena& arena) override {
    arena.reset();
    const auto bytes = static_cast<std::size_t>(count) * sizeof(std::uint32_t);
    auto* const sorted = static_cast<std::uint32_t*>(arena.take(bytes));  // also asks for memory
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
    Machine::check_inside(machine_.device_memory, rows.lines,
                          static_cast<std::size_t>(count) * sizeof(LineRow));
    Machine::check_inside(machine_.device_memory, to.keys, bytes);
    Machine::check_inside(machine_.device_memory, to.begin,
                          (cuda::kLineGroups + 1) * sizeof(std::int64_t));
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
  void wait() override {
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
  }

 private:
  static constexpr std::size_t kScratch = 100;

  void copy(const std::map<void*, std::size_t>& to_blocks, void* to,
            const std::map<void*, std::size_t>& from_blocks, const void* from, std::size_t bytes) {
    const std::lock_guard lock(machine_.mutex);
    machine_.check();
    if (bytes == 0) return;
    Machine::check_inside(to_blocks, to, bytes);
    Machine::check_inside(from_blocks, from, bytes);
    std::memcpy(to, from, bytes);
  }

  Machine& machine_;
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
    const bool injected = options.fail_from > 0 && log.allocations >= options.fail_from &&
                          log.allocations < options.fail_from + options.fail_count;
    const bool full = on_device && options.memory_bytes > 0 &&
                      log.bytes_in_use + static_cast<std::int64_t>(bytes) > options.memory_bytes;
    if (injected || full) {
      ++log.failed_allocations;
      throw cuda::OutOfMemory(kind, bytes);
    }
    void* memory = std::malloc(bytes);
    // Fresh memory holds anything: nothing may be read before it is written.
    std::memset(memory, static_cast<int>(machine_.engine() & 0xff), bytes);
    (on_device ? machine_.device_memory : machine_.pinned_memory)[memory] = bytes;
    (on_device ? log.bytes_in_use : log.pinned_in_use) += static_cast<std::int64_t>(bytes);
    log.most_bytes = std::max(log.most_bytes, log.bytes_in_use);
    return memory;
  }
  void release(cuda::MemoryKind kind, void* memory) noexcept override {
    const std::lock_guard lock(machine_.mutex);
    const bool on_device = kind == cuda::MemoryKind::kDevice;
    auto& blocks = on_device ? machine_.device_memory : machine_.pinned_memory;
    (on_device ? machine_.log.bytes_in_use : machine_.log.pinned_in_use) -=
        static_cast<std::int64_t>(blocks.at(memory));
    blocks.erase(memory);
    std::free(memory);
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
