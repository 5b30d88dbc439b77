// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Messages about wrong usage. Owns: what they name, and the validators of words.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage::cli {

// The message for a parse error: the wrong word, the word probably meant, and how to see the usage.
// Ends with a newline.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

// Accepts only these words; the refusal suggests the word probably meant. Help and completion show
// the set as {a,b,c}.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> words);

// Refuses an empty word, which an unset shell variable leaves behind.
[[nodiscard]] CLI::Validator non_empty();

// Ends the command because `name` is not a name of the fleet; suggests the one probably meant.
[[noreturn]] void refuse_name(const std::string& name, const char* kind,
                              const std::vector<std::string_view>& known);

// Refuses a name that the fleet does not have. An empty name stands for none.
template <class Named>
void expect_name(const std::string& name, const char* kind,
                 const std::map<std::string, Named>& all) {
  if (name.empty() || all.contains(name)) return;
  std::vector<std::string_view> known;
  known.reserve(all.size());
  for (const auto& [known_name, value] : all) known.push_back(known_name);
  refuse_name(name, kind, known);
}

}  // namespace tonnage::cli
