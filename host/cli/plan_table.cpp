// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Renders a plan as tables: servers, cards, limits, priorities, unserved servers, certificate and
// totals.
#include "host/cli/plan_table.hpp"

#include <fmt/format.h>

#include "host/cli/text_table.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage::cli {
namespace {

std::string more(std::size_t shown, std::size_t all) {
  if (shown >= all) return "";
  return fmt::format("... and {} more (--all shows them)\n", all - shown);
}

std::string chosen(const PlannedServer& p) {
  if (p.allocation.num_replicas == 0) return "nothing (no load)";
  if (!p.allocation.parts.empty()) return parts_text(p.allocation.parts);
  std::string text = fmt::format("{} x {}", p.allocation.num_replicas, p.allocation.accelerator);
  if (p.partial) text += fmt::format(" (partial, needs {})", p.replicas_needed);
  return text;
}

// A latency against its target: "17.2/40"; "17.2" without a target.
std::string against(double got, double target) {
  return target > 0 ? fmt::format("{}/{:.9g}", milliseconds(got), target) : milliseconds(got);
}

const Target* target_of(const System& system, const std::string& name) {
  const Server* server = system.find_server(name);
  const ServiceClass* c =
      server == nullptr ? nullptr : system.find_service_class(server->class_name());
  return c == nullptr ? nullptr : c->find_target(server->model());
}

std::string servers_table(const Plan& plan, const System& system, std::size_t most, bool colored) {
  using enum Align;
  TextTable table({{"server"},
                   {"prio", kRight},
                   {"allocation"},
                   {"batch", kRight},
                   {"$/hour", kRight},
                   {"ITL ms", kRight},
                   {"TTFT ms", kRight},
                   {"p95 ms", kRight},
                   {"rho", kRight}});
  std::size_t shown = 0;
  for (const PlannedServer& p : plan.allocations) {
    if (most > 0 && shown == most) break;
    ++shown;
    const Target* target = target_of(system, p.server);
    const Target t = target == nullptr ? Target{} : *target;
    const bool empty = p.allocation.num_replicas == 0;
    table.add({p.server, std::to_string(p.priority), chosen(p),
               empty ? "-" : std::to_string(p.allocation.max_batch),
               dollars(p.allocation.cost_cents_per_hour),
               empty ? "-" : against(p.metrics.itl_ms, t.itl_ms),
               empty ? "-" : against(p.metrics.ttft_ms, t.ttft_ms),
               empty ? "-" : milliseconds(p.metrics.ttft_p95_ms),
               empty ? "-" : fmt::format("{:.2f}", p.metrics.rho)},
              p.partial);
  }
  return table.empty() ? "" : table.to_string(colored) + more(shown, plan.allocations.size());
}

std::string types_table(const Plan& plan, bool colored) {
  using enum Align;
  std::vector<TextTable::Column> columns{
      {"cards"}, {"used", kRight}, {"of", kRight}, {"$/hour", kRight}};
  const bool priced = !plan.summary.types.empty() && plan.summary.types.front().price;
  if (priced) columns.push_back({"one more saves", kRight});
  TextTable table(columns);
  for (const TypeUsage& t : plan.summary.types) {
    std::vector<std::string> cells{t.type, std::to_string(t.used),
                                   t.limit ? std::to_string(*t.limit) : "-", dollars(t.cost)};
    if (priced) cells.push_back(dollars(t.price.value_or(0)));
    table.add(cells, t.limit && t.used > *t.limit);
  }
  return table.empty() ? "" : table.to_string(colored);
}

std::string limits_table(const Plan& plan, bool colored) {
  using enum Align;
  if (plan.summary.limits.empty()) return "";
  std::vector<TextTable::Column> columns{{"limit"}, {"used", kRight}, {"of", kRight}};
  const bool priced = plan.summary.limits.front().price.has_value();
  if (priced) columns.push_back({"one more saves", kRight});
  TextTable table(columns);
  for (const LimitUsage& l : plan.summary.limits) {
    const bool money = l.name == "maxCost";
    const auto amount = [&](double v) { return money ? dollars(v) : fmt::format("{:.9g}", v); };
    std::vector<std::string> cells{money                  ? "cost, $/hour"
                                   : l.name == "maxPower" ? "power, W"
                                                          : "changes",
                                   amount(l.used), amount(l.limit)};
    // Per dollar of budget instead of per cent.
    if (priced) cells.push_back(dollars(l.price.value_or(0) * (money ? 100 : 1)));
    table.add(cells, false);
  }
  return table.to_string(colored);
}

std::string priorities_table(const Plan& plan, bool colored) {
  using enum Align;
  TextTable table({{"priority"}, {"served", kRight}, {"partial", kRight}, {"unserved", kRight}});
  for (const PriorityOutcome& p : plan.summary.priorities) {
    table.add({std::to_string(p.priority), std::to_string(p.served), std::to_string(p.partial),
               std::to_string(p.unserved)},
              p.partial + p.unserved > 0);
  }
  return table.empty() ? "" : table.to_string(colored);
}

std::string unserved_table(const Plan& plan, std::size_t most, bool colored) {
  TextTable table({{"not served"}, {"why"}});
  std::size_t shown = 0;
  for (const UnallocatedServer& u : plan.unallocated) {
    if (most > 0 && shown == most) break;
    ++shown;
    table.add({u.server, u.detail}, true);
  }
  return table.empty() ? "" : table.to_string(colored) + more(shown, plan.unallocated.size());
}

// The certificate in a sentence; empty if the solver gives none.
std::string certificate_text(const PlanSummary& summary) {
  if (summary.stages.empty()) return "";
  std::string text;
  for (const StageCertificate& stage : summary.stages) {
    if (stage.proven || stage.priority == StageCertificate::kValueStage) continue;
    text += fmt::format("priority {}: {:.0f} unserved, at least {:.0f}; ", stage.priority,
                        stage.objective, stage.lower_bound);
  }
  const StageCertificate& last = summary.stages.back();
  if (last.proven) {
    return text +
           (text.empty() ? "proven optimal\n" : "value proven optimal at these service levels\n");
  }
  text += fmt::format("at most {} $/hour", dollars(last.objective - last.lower_bound));
  if (const auto gap = summary.gap()) text += fmt::format(" ({:.3g} % of the cost)", 100 * *gap);
  return text + " from the best plan at these service levels\n";
}

}  // namespace

std::string parts_text(const std::vector<AllocationPart>& parts) {
  std::string text;
  for (const AllocationPart& part : parts) {
    text += fmt::format("{}{} x {}", text.empty() ? "" : kPartSeparator, part.num_replicas,
                        part.accelerator);
  }
  return text;
}

std::string plan_to_table(const Plan& plan, const System& system, std::size_t most, bool colored) {
  std::string text;
  for (const std::string& part :
       {servers_table(plan, system, most, colored), types_table(plan, colored),
        limits_table(plan, colored), priorities_table(plan, colored),
        unserved_table(plan, most, colored)}) {
    if (!part.empty()) text += part + "\n";
  }
  const PlanSummary& s = plan.summary;
  text += certificate_text(s);
  text += bold(fmt::format("total {} $/hour", dollars(s.total_cost)), colored);
  text += fmt::format(", transition value {} $/hour; {} of {} feasible", dollars(s.total_value),
                      s.num_candidates, counted(s.num_pairs, "pair"));
  if (s.candidates_swept > 0) {
    text += fmt::format(", {} swept, {} passed", counted(s.candidates_swept, "candidate"),
                        s.candidates_passed);
  }
  text += fmt::format("; solver {}, backend {}\n", s.solver, s.backend);
  return text;
}

}  // namespace tonnage::cli
