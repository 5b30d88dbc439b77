// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Runs the kernels on problems small enough for a profiler that replays each launch many times.
// Owns: the options of such a run.
#pragma once

#include <functional>
#include <string>

#include "cuda/src/device_evaluator.hpp"

namespace tonnage::check {

// Marks the launches to profile: range(true) before each, range(false) after.
using ProfilerRange = std::function<void(bool begins)>;

struct ProfileOptions {
  std::string only;            // a name of kernel_names(); empty: all
  std::int64_t servers = 300;  // of the fleet
  std::int64_t longest = 256;  // batch ceilings at most
  std::int64_t replicas = 64;  // replica counts of tables and frontiers
  int times = 3;               // each piece of work is done
};

// Runs a search, a table and frontiers of one random fleet, and prints the launches of each kernel:
// "profile KERNEL: N launches". Throws Failure if a requested kernel was not launched.
void run_profile(const cuda::OpenDevices& open, const ProfileOptions& options,
                 const ProfilerRange& range);

}  // namespace tonnage::check
