// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Keeps a fleet in step with its load: plan, apply, load changes, plan again: follow_load FLEET.
#include <cstdio>

#include "tonnage/core/system.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/spec_reader.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const tonnage::SpecReadResult read = tonnage::read_system(argv[1]);
  if (!read.ok()) return 2;
  tonnage::System system(read.spec);
  tonnage::Manager manager(system, read.spec.optimizer);

  for (const double factor : {1.0, 1.5}) {
    for (const auto& [name, unused] : system.servers()) {
      tonnage::Server& server = *system.find_server(name);
      tonnage::LoadSpec load = server.load();
      load.arrival_rate_per_min *= factor;
      server.set_load(load);
    }
    manager.optimize();
    std::printf("load x %.1f: %.2f cents/hour, %zu servers unallocated\n", factor,
                manager.plan().summary.total_cost, manager.unallocated().size());
    for (const auto& [name, diff] : manager.diffs()) {
      std::printf("  %s: %s\n", name.c_str(), diff.to_string().c_str());
    }
    // What was planned now runs, so the next plan counts the cost of change from there.
    for (const auto& [name, unused] : system.servers()) {
      tonnage::Server& server = *system.find_server(name);
      const tonnage::Allocation* planned = server.allocation();
      server.set_current_allocation(planned == nullptr ? tonnage::Allocation() : *planned);
    }
  }
  return 0;
}
