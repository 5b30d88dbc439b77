// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The note about names that spreadsheets read as formulas.
#include "host/cli/formula_note.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tonnage/core/printable.hpp"

namespace tonnage::cli {

void note_formulas(const std::vector<std::string_view>& names, const Environment& environment) {
  static constexpr std::string_view kFirstOfFormulas = "=+-@\t\r";
  const auto is_formula = [](std::string_view name) {
    return !name.empty() && kFirstOfFormulas.find(name.front()) != std::string_view::npos;
  };
  const auto first = std::find_if(names.begin(), names.end(), is_formula);
  if (first == names.end()) return;
  const auto others = std::count_if(first + 1, names.end(), is_formula);
  environment.note(
      fmt::format("a spreadsheet would read \"{}\"{} as {}: import the columns of names as text",
                  *first, others > 0 ? " and " + counted(others, "more name") : "",
                  others > 0 ? "formulas" : "a formula"));
}

void note_formulas(const System& system, const Environment& environment) {
  std::vector<std::string_view> names;
  for (const auto& [name, server] : system.servers()) names.push_back(name);
  for (const auto& [name, accelerator] : system.accelerators()) names.push_back(name);
  note_formulas(names, environment);
}

}  // namespace tonnage::cli
