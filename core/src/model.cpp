// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The performance data of one model, by accelerator: lookup, replacement and removal.
#include "tonnage/core/model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/error.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage {

void Model::set_perf(ModelPerfSpec spec) {
  if (spec.name != name_) {
    throw Error(
        ErrorCode::kInvalidInput,
        fmt::format("performance data of model \"{}\" given to model \"{}\"", spec.name, name_));
  }
  std::string acc = spec.acc;
  perfs_.insert_or_assign(std::move(acc), std::move(spec));
}

void Model::remove_perf(const std::string& accelerator) {
  if (perfs_.erase(accelerator) == 0) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("model \"{}\" has no performance data for accelerator \"{}\"", name_,
                            accelerator));
  }
}

const ModelPerfSpec* Model::find_perf(const std::string& accelerator) const {
  const auto it = perfs_.find(accelerator);
  return it == perfs_.end() ? nullptr : &it->second;
}

std::int64_t Model::num_instances(const std::string& accelerator) const {
  const ModelPerfSpec* perf = find_perf(accelerator);
  return perf == nullptr ? 0 : std::max<std::int64_t>(1, perf->acc_count);
}

std::vector<ModelPerfSpec> Model::spec() const {
  std::vector<ModelPerfSpec> rows;
  rows.reserve(perfs_.size());
  for (const auto& [acc, perf] : perfs_) rows.push_back(perf);
  return rows;
}

std::string Model::to_string() const {
  std::string text = fmt::format("model {}:", name_);
  for (const auto& [acc, perf] : perfs_) {
    text +=
        fmt::format(" {} x {} (batch {} at {} tokens, alpha {}, beta {}, gamma {});",
                    num_instances(acc), acc, perf.max_batch_size, perf.at_tokens,
                    perf.perf_parms.alpha_ms, perf.perf_parms.beta_ms, perf.perf_parms.gamma_ms);
  }
  return printable(text);
}

}  // namespace tonnage
