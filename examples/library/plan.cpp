// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads a fleet, plans it, prints what to run: plan FLEET.
#include <cstdio>

#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/spec_reader.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const tonnage::SpecReadResult read = tonnage::read_system(argv[1]);
  if (!read.ok()) {
    std::fputs(read.diagnostics.to_text().c_str(), stderr);
    return 2;
  }
  try {
    const tonnage::System system(read.spec);
    const tonnage::Plan plan = tonnage::make_plan(system, read.spec.optimizer);
    for (const tonnage::PlannedServer& p : plan.allocations) {
      std::printf("%s: %lld x %s, ITL %.1f ms\n", p.server.c_str(),
                  static_cast<long long>(p.allocation.num_replicas),
                  p.allocation.accelerator.c_str(), p.allocation.itl_average_ms);
    }
    for (const tonnage::UnallocatedServer& u : plan.unallocated) {
      std::printf("%s: %s\n", u.server.c_str(), u.detail.c_str());
    }
    std::printf("total: %.2f cents/hour\n", plan.summary.total_cost);
  } catch (const tonnage::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
