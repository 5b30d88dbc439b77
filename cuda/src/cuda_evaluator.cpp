// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Makes the CUDA evaluator: the device evaluator on the devices that the probe finds. Compiled in
// every build; only the opening of devices differs.
#include <utility>

#include "cuda/src/device_evaluator.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage {

std::unique_ptr<Evaluator> make_cuda_evaluator(std::unique_ptr<Evaluator> host) {
  return cuda::make_device_evaluator(cuda::open_usable_devices, std::move(host));
}

std::vector<std::unique_ptr<cuda::Device>> cuda::open_usable_devices() {
  auto devices = open_devices();
  if (devices.empty()) throw Error(ErrorCode::kUnavailable, probe_cuda().reason);
  return devices;
}

}  // namespace tonnage
