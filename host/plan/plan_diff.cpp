// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Compares two plans server by server, with the rules of tonnage/host/plan_diff.hpp.
#include "tonnage/host/plan_diff.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace tonnage {
namespace {

constexpr double kCostTolerance = 1e-9;

template <class T>
bool differ(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b && *a != *b;
}

bool parts_differ(const std::vector<AllocationPart>& a, const std::vector<AllocationPart>& b) {
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(),
                     [](const AllocationPart& x, const AllocationPart& y) {
                       return x.accelerator == y.accelerator && x.num_replicas == y.num_replicas &&
                              x.max_batch == y.max_batch;
                     });
}

bool costs_differ(const std::optional<double>& a, const std::optional<double>& b) {
  if (!a || !b) return false;
  return std::fabs(*a - *b) > kCostTolerance * std::max(std::fabs(*a), std::fabs(*b));
}

PlanChange change(const std::string& server, ChangeKind kind, const AllocationClaims& before,
                  const AllocationClaims& after) {
  PlanChange r;
  r.server = server;
  r.kind = kind;
  r.old_accelerator = before.accelerator.value_or("");
  r.new_accelerator = after.accelerator.value_or("");
  r.old_parts = before.parts;
  r.new_parts = after.parts;
  r.old_num_replicas = before.num_replicas.value_or(0);
  r.new_num_replicas = after.num_replicas.value_or(0);
  r.old_max_batch = before.max_batch.value_or(0);
  r.new_max_batch = after.max_batch.value_or(0);
  const bool comparable =
      kind != ChangeKind::kChanged || (before.cost_cents_per_hour && after.cost_cents_per_hour);
  if (comparable) {
    r.cost_difference =
        after.cost_cents_per_hour.value_or(0) - before.cost_cents_per_hour.value_or(0);
  }
  return r;
}

}  // namespace

std::vector<PlanChange> diff_plans(const PlanClaims& before, const PlanClaims& after) {
  std::vector<PlanChange> changes;
  auto a = before.allocations.begin();
  auto b = after.allocations.begin();
  while (a != before.allocations.end() || b != after.allocations.end()) {
    const bool only_before =
        b == after.allocations.end() || (a != before.allocations.end() && a->first < b->first);
    const bool only_after = !only_before && (a == before.allocations.end() || b->first < a->first);
    if (only_before) {
      changes.push_back(change(a->first, ChangeKind::kRemoved, a->second, {}));
      ++a;
    } else if (only_after) {
      changes.push_back(change(b->first, ChangeKind::kAdded, {}, b->second));
      ++b;
    } else {
      const AllocationClaims& x = a->second;
      const AllocationClaims& y = b->second;
      if (differ(x.accelerator, y.accelerator) || differ(x.num_replicas, y.num_replicas) ||
          differ(x.max_batch, y.max_batch) || parts_differ(x.parts, y.parts) ||
          costs_differ(x.cost_cents_per_hour, y.cost_cents_per_hour)) {
        changes.push_back(change(a->first, ChangeKind::kChanged, x, y));
      }
      ++a;
      ++b;
    }
  }
  return changes;
}

}  // namespace tonnage
