// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Names of the kernels in output and on command lines. Owns: one name per kernel.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cuda/src/base/kernels.hpp"

namespace tonnage::check {

// The ordering of lines, which is several kernels of Thrust and none of this project.
inline constexpr const char* kOrderName = "order";

struct KernelNamer {
  std::string operator()(const cuda::FillReciprocals&) const { return "FillReciprocals"; }
  std::string operator()(const cuda::FillInverseMu&) const { return "FillInverseMu"; }
  std::string operator()(const cuda::SizePlainLines&) const { return "SizePlainLines"; }
  std::string operator()(const cuda::SizeUnevenLines&) const { return "SizeUnevenLines"; }
  std::string operator()(const cuda::SizePercentileLines&) const { return "SizePercentileLines"; }
  std::string operator()(const cuda::StartSearches&) const { return "StartSearches"; }
  std::string operator()(const cuda::SettleFirst&) const { return "SettleFirst"; }
  std::string operator()(const cuda::SettleLines&) const { return "SettleLines"; }
  std::string operator()(const cuda::FillPieceRates&) const { return "FillPieceRates"; }
  std::string operator()(const cuda::SizeTableRows&) const { return "SizeTableRows"; }
  std::string operator()(const cuda::FillPercentiles&) const { return "FillPercentiles"; }
  std::string operator()(const cuda::JudgePercentiles&) const { return "JudgePercentiles"; }
  std::string operator()(const cuda::DropPoints&) const { return "DropPoints"; }
  template <bool kHasRoom, bool kStepped, bool kExtended>
  std::string operator()(const cuda::SweepLines<kHasRoom, kStepped, kExtended>&) const {
    return "SweepLines" + form(kHasRoom, kStepped) + (kExtended ? "-extended" : "");
  }
  template <bool kHasRoom, bool kStepped>
  std::string operator()(const cuda::FillTable<kHasRoom, kStepped>&) const {
    return "FillTable" + form(kHasRoom, kStepped);
  }
  template <bool kHasRoom, bool kStepped>
  std::string operator()(const cuda::CountPoints<kHasRoom, kStepped>&) const {
    return "CountPoints" + form(kHasRoom, kStepped);
  }
  template <bool kHasRoom, bool kStepped>
  std::string operator()(const cuda::WritePoints<kHasRoom, kStepped>&) const {
    return "WritePoints" + form(kHasRoom, kStepped);
  }

 private:
  static std::string form(bool has_room, bool stepped) {
    return std::string(has_room ? "-room" : "") + (stepped ? "-stepped" : "");
  }
};

inline std::string name_of(const cuda::Kernel& kernel) { return std::visit(KernelNamer{}, kernel); }

// All names, the ordering last.
inline std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    (names.push_back(KernelNamer{}(std::variant_alternative_t<kIndex, cuda::Kernel>{})), ...);
  }
  (std::make_index_sequence<std::variant_size_v<cuda::Kernel>>());
  names.emplace_back(kOrderName);
  return names;
}

}  // namespace tonnage::check
