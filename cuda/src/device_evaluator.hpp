// An evaluator on devices that somebody opens: the CUDA evaluator of this machine, one over
// emulated devices, one whose chunks are as small as a check wants them. Owns: the options of the
// engines taken together.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cuda/src/base/device.hpp"
#include "cuda/src/grid/point_engine.hpp"
#include "cuda/src/grid/table_engine.hpp"
#include "cuda/src/search/engine.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::cuda {

struct EngineOptions {
  EngineLimits search;
  TableLimits table;
  PointLimits points;
  // Each device is opened so often, and work is split as among so many devices.
  int times_opened = 1;
};

// Opens the devices for one piece of work. Throws Error (kUnavailable) with the reason where there
// is none.
using OpenDevices = std::function<std::vector<std::unique_ptr<Device>>()>;

// The devices of this machine.
[[nodiscard]] std::vector<std::unique_ptr<Device>> open_usable_devices();

// Asks `open` anew for every search, table and set of points, and no earlier. Whatever fails, it
// fails with an Error, of kind kUnavailable where the cause is the backend's own (device, memory,
// threads); exceptions of callbacks are passed on.
[[nodiscard]] std::unique_ptr<Evaluator> make_device_evaluator(OpenDevices open,
                                                               std::unique_ptr<Evaluator> host,
                                                               const EngineOptions& options = {});

}  // namespace tonnage::cuda
