// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// An evaluator on devices that its caller opens: the GPUs of this machine, emulated devices, or
// devices with small chunks for tests. Owns: the options of all engines together.
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
  // How often each device is opened; work is split as among that many devices.
  int times_opened = 1;
};

// Opens the devices for one piece of work. Throws Error (kUnavailable) with the reason if there are
// none.
using OpenDevices = std::function<std::vector<std::unique_ptr<Device>>()>;

// Opens the devices of this machine.
[[nodiscard]] std::vector<std::unique_ptr<Device>> open_usable_devices();

// Calls `open` for every search, table and set of points, and not before. Failures are Errors; they
// have kind kUnavailable if the backend itself failed (device, memory, threads). Exceptions of
// callbacks are passed on.
[[nodiscard]] std::unique_ptr<Evaluator> make_device_evaluator(OpenDevices open,
                                                               std::unique_ptr<Evaluator> host,
                                                               const EngineOptions& options = {});

}  // namespace tonnage::cuda
