// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Starts threads of an engine. Owns: the error of a thread that cannot be started.
#pragma once

#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cuda/src/base/device.hpp"

namespace tonnage::cuda {

struct NoThread : Error {
  NoThread(const Device& device, const std::exception& error)
      : Error(ErrorCode::kUnavailable,
              device.name() + ": a thread cannot be started: " + error.what()) {}
};

// Starts a thread for the device. Throws NoThread.
template <class Work>
void start_thread(std::vector<std::jthread>& threads, const Device& device, Work work) {
  try {
    threads.emplace_back(std::move(work));
  } catch (const std::exception& error) {
    throw NoThread(device, error);
  }
}

}  // namespace tonnage::cuda
