// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The walk over a plan: every server once, then the plan as a whole.
#include "tonnage/host/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/verify/allocation.hpp"
#include "host/verify/totals.hpp"

namespace tonnage {
namespace verify {
namespace {

class Verifier {
 public:
  Verifier(const System& system, const OptimizerSpec& optimizer, const PlanClaims& claims)
      : system_(system), optimizer_(optimizer), claims_(claims) {
    for (const auto& [name, accelerator] : system.accelerators()) {
      totals_.types[accelerator.type()];
    }
    for (const auto& [type, unused] : system.capacities()) totals_.types[type];
  }

  std::vector<Violation> run() {
    for (const auto& [name, claim] : claims_.allocations) {
      name_ = name;
      check_server(claim);
    }
    check_unallocated();
    std::stable_sort(violations_.begin(), violations_.end(),
                     [](const Violation& a, const Violation& b) { return a.server < b.server; });
    name_.clear();
    for (PlanViolation& v :
         check_totals(system_, optimizer_, claims_, totals_, violations_.empty())) {
      report(v.kind, "{}", v.message);
    }
    return std::move(violations_);
  }

 private:
  template <class... Args>
  void report(const char* kind, fmt::format_string<Args...> format, Args&&... args) {
    violations_.push_back({name_, kind, fmt::format(format, std::forward<Args>(args)...)});
  }

  void check_server(const AllocationClaims& claim) {
    const Server* server = system_.find_server(name_);
    if (server == nullptr) {
      report("unknown-server", "the system has no such server");
      totals_.costs_known = false;
      return;
    }
    const Demand demand = read_demand(system_, *server);
    const AllocationTruth truth = check_allocation(
        system_, optimizer_, demand, claim,
        [&](const char* kind, const std::string& message) { report(kind, "{}", message); });
    check_load(server->load(), claim);
    if (truth.cost_known && !claim_holds(claim.cost_cents_per_hour, truth.cost)) {
      report("cost", "{}", claim_text("cost", *claim.cost_cents_per_hour, truth.cost));
    }
    if (truth.value_known && !claim_holds(claim.value, truth.value, truth.cost)) {
      report("value", "{}", claim_text("value", *claim.value, truth.value));
    }
    add(demand, truth);
  }

  void add(const Demand& demand, const AllocationTruth& truth) {
    for (const MixTruth::Cards& part : truth.cards) {
      PlanTotals::Type& total = totals_.types[part.type];
      if (__builtin_add_overflow(total.used, part.cards, &total.used)) total.used = INT64_MAX;
      total.cost += part.cost;
    }
    totals_.costs_known = totals_.costs_known && truth.cost_known;
    totals_.values_known = totals_.values_known && truth.value_known;
    totals_.power_known = totals_.power_known && truth.power_known;
    totals_.cost += truth.cost;
    totals_.value += truth.value;
    totals_.power_w += truth.power_w * optimizer_.pue;
    totals_.changes += truth.transition.changed ? 1 : 0;
    PriorityOutcome& group = totals_.outcomes[demand.priority];
    ++(truth.partial ? group.partial : group.served);
    if (truth.partial) return;
    totals_.whole.insert(name_);
    totals_.whole_objective +=
        objective_of(optimizer_, *demand.server, truth.transition, truth.cost, truth.power_w);
  }

  void check_load(const LoadSpec& load, const AllocationClaims& claim) {
    if (!claim.load) return;
    const LoadSpec& c = *claim.load;
    if (claim_holds(c.arrival_rate_per_min, load.arrival_rate_per_min) &&
        c.avg_in_tokens == load.avg_in_tokens && c.avg_out_tokens == load.avg_out_tokens) {
      return;
    }
    report("load",
           "the load is stated as {:.6g} requests/min of {} input and {} output tokens, it is "
           "{:.6g} of {} and {}",
           c.arrival_rate_per_min, c.avg_in_tokens, c.avg_out_tokens, load.arrival_rate_per_min,
           load.avg_in_tokens, load.avg_out_tokens);
  }

  void check_unallocated() {
    std::set<std::string> listed;
    if (claims_.unallocated) {
      for (const std::string& name : *claims_.unallocated) {
        name_ = name;
        if (!listed.insert(name).second) {
          report("duplicate", "listed as unallocated more than once");
          continue;
        }
        if (system_.find_server(name) == nullptr) {
          report("unknown-server", "listed as unallocated, but the system has no such server");
        }
        if (claims_.allocations.contains(name)) {
          report("also-allocated", "listed as unallocated, but has an allocation");
        }
      }
    }
    for (const auto& [name, server] : system_.servers()) {
      if (claims_.allocations.contains(name)) continue;
      ++totals_.outcomes[read_demand(system_, server).priority].unserved;
      if (claims_.unallocated && !listed.contains(name)) {
        name_ = name;
        report("unaccounted", "has no allocation and is not listed as unallocated");
      }
    }
  }

  const System& system_;
  const OptimizerSpec& optimizer_;
  const PlanClaims& claims_;
  PlanTotals totals_;
  std::string name_;  // of the server being checked; empty: the plan
  std::vector<Violation> violations_;
};

}  // namespace
}  // namespace verify

std::vector<Violation> verify_plan(const System& system, const OptimizerSpec& optimizer,
                                   const PlanClaims& claims) {
  return verify::Verifier(system, optimizer, claims).run();
}

}  // namespace tonnage
