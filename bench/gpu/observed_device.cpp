// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Decorates devices and streams so that an observer runs each of their operations, and sums times.
#include "bench/gpu/observed_device.hpp"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <utility>

#include "bench/gpu/kernel_names.hpp"
#include "bench/gpu/report.hpp"
#include "tonnage/host/backends.hpp"

namespace tonnage::check {
namespace {

class ObservedStream : public cuda::Stream {
 public:
  ObservedStream(std::unique_ptr<cuda::Stream> inner, const Observer& observer)
      : inner_(std::move(inner)), observer_(observer) {}

  void to_device(void* device, const void* pinned, std::size_t bytes) override {
    observe(Operation::kUpload, {}, [&] { inner_->to_device(device, pinned, bytes); });
  }
  void to_host(void* pinned, const void* device, std::size_t bytes) override {
    observe(Operation::kDownload, {}, [&] { inner_->to_host(pinned, device, bytes); });
  }
  void zero(void* device, std::size_t bytes) override {
    observe(Operation::kKernels, "zero", [&] { inner_->zero(device, bytes); });
  }
  void launch(const cuda::Kernel& kernel, std::int64_t count) override {
    if (count <= 0) return;  // nothing is started
    observe(Operation::kKernels, name_of(kernel), [&] { inner_->launch(kernel, count); });
  }
  void sum_before(std::int64_t* sums, const std::int64_t* counts, std::int64_t count, void* scratch,
                  std::size_t bytes) override {
    observe(Operation::kKernels, "sum",
            [&] { inner_->sum_before(sums, counts, count, scratch, bytes); });
  }
  [[nodiscard]] std::size_t scratch_of_sum(std::int64_t count) override {
    return inner_->scratch_of_sum(count);
  }
  void order(const cuda::ChunkRows& rows, const cuda::LineOrder& to, std::int64_t count,
             cuda::Arena& arena) override {
    observe(Operation::kKernels, kOrderName, [&] { inner_->order(rows, to, count, arena); });
  }
  void wait() override { inner_->wait(); }

 private:
  template <class Work>
  void observe(Operation operation, std::string_view kernel, const Work& work) {
    observer_(operation, kernel, [&] {
      work();
      inner_->wait();
    });
  }

  std::unique_ptr<cuda::Stream> inner_;
  const Observer& observer_;
};

class ObservedDevice : public cuda::Device {
 public:
  ObservedDevice(std::unique_ptr<cuda::Device> inner, Observer observer)
      : inner_(std::move(inner)), observer_(std::move(observer)) {}

  [[nodiscard]] std::string name() const override { return inner_->name(); }
  void bind() override {
    observer_(Operation::kProbe, {}, [&] { inner_->bind(); });
  }
  [[nodiscard]] void* allocate(cuda::MemoryKind kind, std::size_t bytes) override {
    void* memory = nullptr;
    observer_(Operation::kAllocate, {}, [&] { memory = inner_->allocate(kind, bytes); });
    return memory;
  }
  void release(cuda::MemoryKind kind, void* memory) noexcept override {
    observer_(Operation::kAllocate, {}, [&] { inner_->release(kind, memory); });
  }
  [[nodiscard]] std::unique_ptr<cuda::Stream> make_stream() override {
    std::unique_ptr<cuda::Stream> stream;
    observer_(Operation::kAllocate, {}, [&] { stream = inner_->make_stream(); });
    return std::make_unique<ObservedStream>(std::move(stream), observer_);
  }

 private:
  std::unique_ptr<cuda::Device> inner_;
  Observer observer_;
};

}  // namespace

const char* to_string(Operation operation) {
  constexpr const char* kNames[kNumOperations] = {"probe", "allocate", "upload", "kernels",
                                                  "download"};
  return kNames[static_cast<int>(operation)];
}

cuda::OpenDevices observed(cuda::OpenDevices open, Observer observer) {
  return [open = std::move(open), observer = std::move(observer)] {
    std::vector<std::unique_ptr<cuda::Device>> devices;
    observer(Operation::kProbe, {}, [&] { devices = open(); });
    for (auto& device : devices) {
      device = std::make_unique<ObservedDevice>(std::move(device), observer);
    }
    return devices;
  };
}

cuda::OpenDevices only_first(cuda::OpenDevices open) {
  return [open = std::move(open)] {
    auto devices = open();
    devices.resize(std::min<std::size_t>(devices.size(), 1));
    return devices;
  };
}

double DeviceTimes::of_kernels(std::string_view prefix) const {
  double sum = 0;
  for (const auto& [name, seconds] : kernels) {
    if (name.starts_with(prefix)) sum += seconds;
  }
  return sum;
}

double DeviceTimes::host() const {
  double rest = all;
  for (const double seconds : of) rest -= seconds;
  return std::max(0.0, rest);
}

void DeviceTimes::take_least(const DeviceTimes& other) {
  if (other.all < all) {
    all = other.all;
    std::copy(other.of, other.of + kNumOperations, of);
  }
  for (auto& [name, seconds] : kernels) {
    const auto same = other.kernels.find(name);
    if (same != other.kernels.end()) seconds = std::min(seconds, same->second);
  }
}

DeviceTimes times_of(const cuda::OpenDevices& open,
                     const std::function<void(const Evaluator&)>& work,
                     const cuda::EngineOptions& options) {
  DeviceTimes times;
  std::mutex mutex;
  const Observer observer = [&](Operation operation, std::string_view kernel,
                                const std::function<void()>& operate) {
    // Ordering allocates within its own operation; do not count that time twice.
    const auto accounted = [&] {
      const std::lock_guard lock(mutex);
      return std::accumulate(times.of, times.of + kNumOperations, 0.0);
    };
    const double before = accounted();
    const double all = seconds_of(operate);
    const double seconds = all - (accounted() - before);
    const std::lock_guard lock(mutex);
    times.of[static_cast<int>(operation)] += seconds;
    if (!kernel.empty()) times.kernels[std::string(kernel)] += seconds;
  };
  const auto evaluator = cuda::make_device_evaluator(
      observed(only_first(open), observer), make_cpu_evaluator(best_instruction_set()), options);
  times.all = seconds_of([&] { work(*evaluator); });
  return times;
}

}  // namespace tonnage::check
