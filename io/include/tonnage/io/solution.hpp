// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Solutions as files: {"allocations": {server: allocation}}. Owns: writing them, and reading them
// whoever wrote them, with any extra fields beside the published ones.
//
// Example:
//   const tonnage::AllocationSpec chat{"H100", 2, 64, 800, 21.5, 180, {600, 0, 128, 512}};
//   const tonnage::Solution solution{{"chat", chat}};
//   std::puts(tonnage::solution_to_json(solution).c_str());
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

// Allocation by server name. A server without an allocation is absent.
using Solution = std::map<std::string, AllocationSpec>;

struct SolutionReadResult {
  Solution allocations;  // meaningful only when there are no errors
  Diagnostics diagnostics;

  [[nodiscard]] bool ok() const noexcept { return !diagnostics.has_errors(); }
};

// The text of a solution file. Throws Error (kInvalidInput) for a number that is not finite or a
// name that is not UTF-8.
[[nodiscard]] std::string solution_to_json(const Solution& solution);

// Reads a solution file, or standard input where `path` is "-".
[[nodiscard]] SolutionReadResult read_solution(const std::string& path);
[[nodiscard]] SolutionReadResult read_solution_from_string(std::string_view text,
                                                           const std::string& display_name);

}  // namespace tonnage
