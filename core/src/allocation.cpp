// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Creates, scales and reallocates allocations of (server, accelerator) pairs, and compares two of
// them. The sizing of a pair is in line.cpp.
#include "tonnage/core/allocation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/printable.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {

std::optional<Allocation> Allocation::create(const System& system, const Server& server,
                                             const std::string& accelerator) {
  const Accelerator* acc = system.find_accelerator(accelerator);
  const Model* model = system.find_model(server.model());
  const ModelPerfSpec* perf = model == nullptr ? nullptr : model->find_perf(accelerator);
  if (acc == nullptr || perf == nullptr) return std::nullopt;
  const ServerRow server_row = make_server_row(system, server);
  const PerfRow perf_row = make_perf_row(system, *perf);
  const LineOutcome outcome = size_line(server_row, perf_row);
  if (!outcome.feasible()) return std::nullopt;
  Allocation a;
  if (outcome.num_replicas == 0) return a;
  a.accelerator_ = accelerator;
  a.num_replicas_ = outcome.num_replicas;
  a.max_batch_ = outcome.max_batch;
  a.cost_ = a.value_ = line_cost(perf_row, outcome);
  a.metrics_ = allocation_metrics(server_row, perf_row, *acc, outcome);
  return a;
}

Allocation Allocation::from_spec(const AllocationSpec& spec) {
  Allocation a;
  a.accelerator_ = spec.accelerator;
  a.num_replicas_ = spec.num_replicas;
  a.max_batch_ = spec.max_batch;
  a.cost_ = a.value_ = spec.cost_cents_per_hour;
  a.metrics_.itl_ms = spec.itl_average_ms;
  a.metrics_.ttft_ms = spec.ttft_average_ms;
  a.parts_ = spec.parts;
  return a;
}

AllocationSpec Allocation::to_spec(const LoadSpec& load) const {
  return {accelerator_,    num_replicas_,    max_batch_, cost_,
          metrics_.itl_ms, metrics_.ttft_ms, load,       parts_};
}

std::optional<std::pair<Allocation, std::int64_t>> Allocation::scale(const System& system,
                                                                     const Server& server) const {
  auto scaled = create(system, server, accelerator_);
  if (!scaled) return std::nullopt;
  const std::int64_t change = scaled->num_replicas_ - num_replicas_;
  return std::pair{std::move(*scaled), change};
}

std::optional<std::pair<Allocation, std::string>> Allocation::reallocate(const System& system,
                                                                         const Server& server) {
  std::optional<std::pair<Allocation, std::string>> best;
  for (const auto& [name, unused] : system.accelerators()) {
    auto candidate = create(system, server, name);
    if (!candidate) continue;
    if (!best || rounded_value(candidate->value_) < rounded_value(best->first.value_)) {
      std::string accelerator = candidate->accelerator_;
      best.emplace(std::move(*candidate), std::move(accelerator));
    }
  }
  return best;
}

bool Allocation::saturated(double total_rate_per_min) const noexcept {
  return total_rate_per_min > static_cast<double>(num_replicas_) * max_rpm();
}

double Allocation::transition_penalty(const Allocation& to) const noexcept {
  return tonnage::transition_penalty(accelerator_ == to.accelerator_, num_replicas_, cost_,
                                     to.num_replicas_, to.cost_);
}

std::string Allocation::to_string() const {
  if (accelerator_.empty()) return "empty allocation";
  return printable(fmt::format(
      "{} x {}, batch {}, {:.2f} cents/hour, value {:.2f}, ITL {:.2f} ms, TTFT {:.2f} ms, "
      "rho {:.2f}, up to {:.1f} requests/min a replica",
      num_replicas_, accelerator_, max_batch_, cost_, value_, itl_ms(), ttft_ms(), rho(),
      max_rpm()));
}

std::optional<AllocationDiff> AllocationDiff::between(const Allocation* before,
                                                      const Allocation* after) {
  if (before == nullptr && after == nullptr) return std::nullopt;
  const auto name = [](const Allocation* a) {
    return a == nullptr || a->accelerator().empty() ? std::string("none") : a->accelerator();
  };
  AllocationDiff d;
  d.old_accelerator = name(before);
  d.new_accelerator = name(after);
  d.old_num_replicas = before == nullptr ? 0 : before->num_replicas();
  d.new_num_replicas = after == nullptr ? 0 : after->num_replicas();
  d.cost_difference = (after == nullptr ? 0 : after->cost_cents_per_hour()) -
                      (before == nullptr ? 0 : before->cost_cents_per_hour());
  return d;
}

std::string AllocationDiff::to_string() const {
  return printable(fmt::format("{} x {} -> {} x {}, cost {:+.2f} cents/hour", old_num_replicas,
                               old_accelerator, new_num_replicas, new_accelerator,
                               cost_difference));
}

std::string AllocationByType::to_string() const {
  return printable(fmt::format("{}: {} cards of {}, {:.2f} cents/hour", type, cards, limit, cost));
}

}  // namespace tonnage
