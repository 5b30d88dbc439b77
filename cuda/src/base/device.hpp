// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The Device interface of the engines: memory, and copies and kernels in order on a stream. Owns:
// that interface, a buffer that frees itself, an arena for work in steps, and out-of-memory as an
// error of its own. Free of CUDA headers, so engines also run over an emulation of the launch grid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/src/base/kernels.hpp"
#include "cuda/src/search/line_order.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage::cuda {

enum class MemoryKind { kDevice, kPinned };

class OutOfMemory : public Error {
 public:
  OutOfMemory(MemoryKind kind, std::size_t bytes)
      : Error(ErrorCode::kUnavailable,
              "out of " + std::string(kind == MemoryKind::kDevice ? "device" : "pinned host") +
                  " memory: " + std::to_string(bytes) + " bytes asked for"),
        bytes_(bytes) {}
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_;
};

class Arena;

// A stream: work runs in the order of submission, beside other streams. Copies need pinned host
// memory that stays untouched until wait(). The destructor waits for pending work. Every function
// throws Error (kUnavailable) if the device fails, also for earlier work.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void to_device(void* device, const void* pinned, std::size_t bytes) = 0;
  virtual void to_host(void* pinned, const void* device, std::size_t bytes) = 0;
  virtual void zero(void* device, std::size_t bytes) = 0;
  // Runs the kernel over items 0 .. count - 1.
  virtual void launch(const Kernel& kernel, std::int64_t count) = 0;
  // Exclusive prefix sums: sums[i] = counts[0] + ... + counts[i - 1]. `bytes` is the scratch
  // memory, at least scratch_of_sum(count).
  virtual void sum_before(std::int64_t* sums, const std::int64_t* counts, std::int64_t count,
                          void* scratch, std::size_t bytes) = 0;
  [[nodiscard]] virtual std::size_t scratch_of_sum(std::int64_t count) = 0;
  // Orders lines 0 .. count - 1 into `to`. Works in memory of the arena, which it resets first.
  virtual void order(const ChunkRows& rows, const LineOrder& to, std::int64_t count,
                     Arena& arena) = 0;
  // Waits until all submitted work is done.
  virtual void wait() = 0;
};

// Waits for a stream on destruction. Declared after the memory that work on the stream uses, it
// keeps that memory alive until the work is done, also during unwinding.
class WaitAtEnd {
 public:
  explicit WaitAtEnd(Stream& stream) : stream_(stream) {}
  ~WaitAtEnd() {
    try {
      stream_.wait();
    } catch (...) {  // the work has ended all the same
    }
  }
  WaitAtEnd(const WaitAtEnd&) = delete;
  WaitAtEnd& operator=(const WaitAtEnd&) = delete;

 private:
  Stream& stream_;
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Makes this the device of the calling thread; must precede all other calls.
  virtual void bind() = 0;
  // Throws OutOfMemory.
  [[nodiscard]] virtual void* allocate(MemoryKind kind, std::size_t bytes) = 0;
  virtual void release(MemoryKind kind, void* memory) noexcept = 0;
  [[nodiscard]] virtual std::unique_ptr<Stream> make_stream() = 0;
};

// The devices of this machine that can run this build; none if probe_cuda() gives a reason.
[[nodiscard]] std::vector<std::unique_ptr<Device>> open_devices();

// An array in memory of one device. Holds plain data only.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device& device, MemoryKind kind, std::int64_t count)
      : device_(&device), kind_(kind), count_(count) {
    if (count > 0) {
      data_ = static_cast<T*>(device.allocate(kind, static_cast<std::size_t>(count) * sizeof(T)));
    }
  }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(kind_, other.kind_);
    std::swap(count_, other.count_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) device_->release(kind_, data_);
  }

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::int64_t size() const noexcept { return count_; }
  T& operator[](std::int64_t i) const noexcept { return data_[i]; }

 private:
  Device* device_ = nullptr;
  MemoryKind kind_ = MemoryKind::kDevice;
  std::int64_t count_ = 0;
  T* data_ = nullptr;
};

// Device memory taken in pieces and released at once, for work on a stream that allocates at each
// step. Keeps its blocks, so that repeated work allocates nothing on the device.
class Arena {
 public:
  explicit Arena(Device& device) : device_(device) {}
  // Throws OutOfMemory.
  [[nodiscard]] void* take(std::size_t bytes) {
    constexpr std::size_t kAlignment = 256;
    const std::size_t wanted = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    for (; block_ < blocks_.size(); ++block_, used_ = 0) {
      if (static_cast<std::size_t>(blocks_[block_].size()) - used_ >= wanted) break;
    }
    if (block_ == blocks_.size()) {
      blocks_.emplace_back(device_, MemoryKind::kDevice, static_cast<std::int64_t>(wanted));
    }
    void* const taken = blocks_[block_].data() + used_;
    used_ += wanted;
    return taken;
  }
  // Reuses everything taken so far, for work behind it on the same stream.
  void reset() noexcept {
    block_ = 0;
    used_ = 0;
  }

 private:
  Device& device_;
  std::vector<Buffer<char>> blocks_;
  std::size_t block_ = 0;  // the one in use
  std::size_t used_ = 0;   // bytes of it
};

}  // namespace tonnage::cuda
