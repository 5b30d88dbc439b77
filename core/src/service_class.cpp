// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Targets and excluded accelerators of a service class.
#include "tonnage/core/service_class.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/error.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage {
namespace {

int valid_priority(std::int64_t priority) {
  const bool valid = priority >= kHighestPriority && priority <= kLowestPriority;
  return valid ? static_cast<int>(priority) : kLowestPriority;
}

}  // namespace

std::string Target::to_string() const {
  std::string text = fmt::format("ITL {} ms, TTFT {} ms", itl_ms, ttft_ms);
  if (ttft_percentile > 0) text += fmt::format(" at p{}", ttft_percentile);
  text += fmt::format(", TPS {}", tps);
  if (e2e_ms > 0) text += fmt::format(", response {} ms", e2e_ms);
  if (drop > 0) text += fmt::format(", drops {}", drop);
  return text;
}

ServiceClass::ServiceClass(std::string name, std::int64_t priority)
    : name_(std::move(name)), priority_(valid_priority(priority)) {}

ServiceClass::ServiceClass(const ServiceClassSpec& spec) : ServiceClass(spec.name, spec.priority) {
  for (const ModelTargetSpec& target : spec.model_targets) set_target(target);
  excluded_accelerators_ = spec.excluded_accelerators;
}

bool ServiceClass::excludes(const std::string& accelerator) const {
  return std::find(excluded_accelerators_.begin(), excluded_accelerators_.end(), accelerator) !=
         excluded_accelerators_.end();
}

const Target& ServiceClass::set_target(const ModelTargetSpec& spec) {
  return targets_
      .insert_or_assign(spec.model,
                        Target{spec.slo_itl_ms, spec.slo_ttft_ms, spec.slo_tps,
                               spec.slo_ttft_percentile, spec.slo_e2e_ms, spec.slo_drop})
      .first->second;
}

const Target* ServiceClass::find_target(const std::string& model) const {
  const auto it = targets_.find(model);
  return it == targets_.end() ? nullptr : &it->second;
}

void ServiceClass::remove_target(const std::string& model) {
  if (targets_.erase(model) == 0) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("service class \"{}\" has no target for model \"{}\"", name_, model));
  }
}

void ServiceClass::update(const ServiceClassSpec& spec) {
  if (spec.name != name_ || valid_priority(spec.priority) != priority_) {
    throw Error(ErrorCode::kInvalidInput,
                fmt::format("update of service class \"{}\" (priority {}) names \"{}\" "
                            "(priority {})",
                            name_, priority_, spec.name, spec.priority));
  }
  for (const ModelTargetSpec& target : spec.model_targets) set_target(target);
  excluded_accelerators_ = spec.excluded_accelerators;
}

ServiceClassSpec ServiceClass::spec() const {
  ServiceClassSpec spec{name_, priority_, {}, excluded_accelerators_};
  for (const auto& [model, t] : targets_) {
    spec.model_targets.push_back(
        {model, t.itl_ms, t.ttft_ms, t.tps, t.ttft_percentile, t.e2e_ms, t.drop});
  }
  return spec;
}

std::string ServiceClass::to_string() const {
  std::string text = fmt::format("service class {}, priority {}:", name_, priority_);
  for (const auto& [model, target] : targets_) {
    text += fmt::format(" {} ({});", model, target.to_string());
  }
  return printable(text);
}

}  // namespace tonnage
