// Runs the kernels on problems small enough for a profiler that replays each launch dozens of
// times.
#pragma once

#include <functional>
#include <string>

#include "cuda/src/device_evaluator.hpp"

namespace tonnage::check {

// Encloses the launches that a profiler is to look at: range(true) before each, range(false) after.
using ProfilerRange = std::function<void(bool begins)>;

struct ProfileOptions {
  std::string only;            // a name of kernel_names(); empty: all
  std::int64_t servers = 300;  // of the fleet
  std::int64_t longest = 256;  // batch ceilings at most
  std::int64_t replicas = 64;  // replica counts of tables and frontiers
  int times = 3;               // each piece of work is done
};

// Runs a search, a table and frontiers of one random fleet and prints how often each kernel was
// launched: "profile KERNEL: N launches". Throws Failure if one that was asked for was not.
void run_profile(const cuda::OpenDevices& open, const ProfileOptions& options,
                 const ProfilerRange& range);

}  // namespace tonnage::check
