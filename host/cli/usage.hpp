// What a person reads after wrong usage.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage::cli {

// What was wrong with the words on the command line, the word that was probably meant, and where
// the right usage is described. Ended by a newline.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

// Accepts these words alone; refuses others naming the word that was probably meant. Shown in the
// help, and read for completion, as {a,b,c}.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> words);

// Refuses an empty word, as an unset variable of a script leaves behind.
[[nodiscard]] CLI::Validator non_empty();

// Ends the command: `name` is not among the names of the fleet, and which one was probably meant.
[[noreturn]] void refuse_name(const std::string& name, const char* kind,
                              const std::vector<std::string_view>& known);

// Refuses a name that is asked for and not there; an empty one is not asked for.
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
