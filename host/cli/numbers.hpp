// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Numbers on the command line. Owns: their parsing, so that no option accepts a number that is cut
// off, wrapped around, or not decimal (nan, inf, 0x10, 1'000, 12 monkeys).
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/grid.hpp"

namespace tonnage::cli {

// The number in decimal digits that the whole text states; absent for anything else, including
// values that are not finite or beyond the type.
template <class Number>
[[nodiscard]] std::optional<Number> exact_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::floating_point<Number>) {
    // from_chars knows "nan" and "inf".
    if (!(number >= std::numeric_limits<Number>::lowest() &&
          number <= std::numeric_limits<Number>::max())) {
      return std::nullopt;
    }
  }
  return number;
}

// Adds an option that takes a number from `least` to `most`. An error names the option, the word
// and what was expected. `target` holds the default, which the help shows.
CLI::Option* add_number(CLI::App& command, const std::string& name, int& target, int least,
                        int most, const std::string& description);
CLI::Option* add_number(CLI::App& command, const std::string& name, std::int64_t& target,
                        std::int64_t least, std::int64_t most, const std::string& description);
CLI::Option* add_number(CLI::App& command, const std::string& name, std::uint64_t& target,
                        std::uint64_t least, std::uint64_t most, const std::string& description);
CLI::Option* add_number(CLI::App& command, const std::string& name, double& target, double least,
                        double most, const std::string& description);

// Parses FIRST:LAST[:STEP], or one number for both ends; a missing end is 0, its default. Throws
// Exit(kBadInput) naming the option.
[[nodiscard]] GridRange parse_range(const char* option, const std::string& text);

// Parses bytes: a whole number >= 1, optionally followed by K, M, G or T for powers of 1024. Throws
// Exit(kBadInput) naming the option.
[[nodiscard]] std::int64_t parse_bytes(const char* option, const std::string& text);

// Splits at separators; keeps empty parts, so there is one part more than separators.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace tonnage::cli
