// What a person reads after wrong usage.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
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

}  // namespace tonnage::cli
