// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A user of the library: reads a fleet, plans it, reports.
#include <cstdio>

#include "tonnage/core/system.hpp"
#include "tonnage/cuda/probe.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/spec_reader.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const tonnage::SpecReadResult read = tonnage::read_system(argv[1]);
  if (!read.ok()) return 2;
  const tonnage::System system(read.spec);
  const tonnage::Plan plan = tonnage::make_plan(system, read.spec.optimizer);
  const std::size_t servers = plan.allocations.size() + plan.unallocated.size();
  std::printf("tonnage %s: %zu of %zu servers allocated, CUDA %s\n",
              std::string(tonnage::version()).c_str(), plan.allocations.size(), servers,
              tonnage::probe_cuda().usable ? "usable" : "not usable");
  return servers == read.spec.servers.size() && !plan.allocations.empty() ? 0 : 1;
}
