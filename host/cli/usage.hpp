// What a person reads after wrong usage.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tonnage::cli {

// What was wrong with the words on the command line, the word that was probably meant, and where
// the right usage is described. Ended by a newline.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tonnage::cli
