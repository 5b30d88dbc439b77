// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Devices whose operations are observed: each operation is handed to an observer, which runs it and
// may measure it. Owns: the decorated devices, and the times of work by operation.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "cuda/src/base/device.hpp"
#include "cuda/src/device_evaluator.hpp"

namespace tonnage::check {

enum class Operation {
  kProbe,     // devices looked for and bound to a thread: the driver's start
  kAllocate,  // memory and streams, taken and given back
  kUpload,
  kKernels,
  kDownload,
};
inline constexpr int kNumOperations = 5;
[[nodiscard]] const char* to_string(Operation operation);  // "probe", "allocate", ...

// Runs the work, which returns when the operation is complete. Called from the threads of the
// engines; `kernel` is empty if there is none.
using Observer = std::function<void(Operation operation, std::string_view kernel,
                                    const std::function<void()>& work)>;

// Waits for every operation, so that none overlaps another of its stream. `observer` may be called
// from several threads at once.
[[nodiscard]] cuda::OpenDevices observed(cuda::OpenDevices open, Observer observer);

// Opens only the first device, because times of parallel devices would add up to more than the
// elapsed time.
[[nodiscard]] cuda::OpenDevices only_first(cuda::OpenDevices open);

// Seconds of a piece of work on one device.
struct DeviceTimes {
  double all = 0;  // from the first call to the answer
  double of[kNumOperations] = {};
  std::map<std::string, double, std::less<>> kernels;  // by name

  // Kernels whose names have this prefix.
  [[nodiscard]] double of_kernels(std::string_view prefix) const;
  // The time outside all operations of the device.
  [[nodiscard]] double host() const;
  // Keeps the operations of the faster run, and the least time of every kernel.
  void take_least(const DeviceTimes& other);
};

// Times one piece of work of an evaluator on the first device, by operation. The work must use one
// thread on the device; operations of several threads would be counted into each other.
[[nodiscard]] DeviceTimes times_of(const cuda::OpenDevices& open,
                                   const std::function<void(const Evaluator&)>& work,
                                   const cuda::EngineOptions& options = {});

}  // namespace tonnage::check
