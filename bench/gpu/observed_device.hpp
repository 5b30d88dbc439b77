// Devices whose work is looked at: every operation is handed to an observer, which does it and may
// take its time. Owns: the decorated devices, and the times of a piece of work by what it was spent
// on.
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

// Does the work, which returns when the operation is done. Called from the threads of the engines;
// `kernel` is empty where there is none.
using Observer = std::function<void(Operation operation, std::string_view kernel,
                                    const std::function<void()>& work)>;

// Every operation is waited for, so that none overlaps another of its stream. `observer` may be
// called from several threads at once.
[[nodiscard]] cuda::OpenDevices observed(cuda::OpenDevices open, Observer observer);

// The first of them alone: times of devices side by side would add up to more than passes.
[[nodiscard]] cuda::OpenDevices only_first(cuda::OpenDevices open);

// Seconds of a piece of work on one device.
struct DeviceTimes {
  double all = 0;  // from the first call to the answer
  double of[kNumOperations] = {};
  std::map<std::string, double, std::less<>> kernels;  // by name

  // Kernels whose name begins so.
  [[nodiscard]] double of_kernels(std::string_view prefix) const;
  // What no operation of the device accounts for.
  [[nodiscard]] double host() const;
  // The operations of the faster run, and of every kernel its faster time.
  void take_least(const DeviceTimes& other);
};

// Times one piece of work of an evaluator on the first device, operation by operation. The work has
// one thread on the device: operations of several would be counted into each other.
[[nodiscard]] DeviceTimes times_of(const cuda::OpenDevices& open,
                                   const std::function<void(const Evaluator&)>& work,
                                   const cuda::EngineOptions& options = {});

}  // namespace tonnage::check
