// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Parses numbers, ranges and sizes of the command line, and says what was expected instead.
#include "host/cli/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/cli/environment.hpp"

namespace tonnage::cli {
namespace {

template <class Number>
CLI::Option* add(CLI::App& command, const std::string& name, Number& target, Number least,
                 Number most, const std::string& description) {
  const char* kind = std::integral<Number> ? "whole number" : "number";
  const std::string range = fmt::format("{} to {}", least, most);
  return command
      .add_option(
          name,
          [=, &target](const CLI::results_t& words) {
            const auto number = exact_number<Number>(words.front());
            if (!number || *number < least || *number > most) {
              throw CLI::ValidationError(name, fmt::format("found \"{}\", expected a {} from {}",
                                                           words.front(), kind, range));
            }
            target = *number == 0 ? Number{0} : *number;  // no -0
            return true;
          },
          description)
      ->type_name(fmt::format("NUMBER:{}..{}", least, most))
      ->default_str(fmt::format("{}", target));
}

}  // namespace

CLI::Option* add_number(CLI::App& command, const std::string& name, int& target, int least,
                        int most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::int64_t& target,
                        std::int64_t least, std::int64_t most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::uint64_t& target,
                        std::uint64_t least, std::uint64_t most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

CLI::Option* add_number(CLI::App& command, const std::string& name, double& target, double least,
                        double most, const std::string& description) {
  return add(command, name, target, least, most, description);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

GridRange parse_range(const char* option, const std::string& text) {
  GridRange range;
  if (text.empty()) return range;
  const auto refuse = [&]() -> GridRange {
    throw Exit{kBadInput,
               fmt::format("{}: \"{}\" is not a range, expected FIRST:LAST[:STEP] of whole "
                           "numbers from 1 on, FIRST not above LAST",
                           option, text)};
  };
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() > 3) return refuse();
  std::int64_t* const targets[] = {&range.first, &range.last, &range.step};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() && i < 2 && parts.size() > 1) continue;
    const auto number = exact_number<std::int64_t>(parts[i]);
    if (!number || *number < 1) return refuse();
    *targets[i] = *number;
  }
  if (parts.size() == 1) range.last = range.first;
  if (range.last > 0 && range.first > range.last) return refuse();
  return range;
}

std::int64_t parse_bytes(const char* option, const std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = text;
  std::int64_t unit = 1;
  if (!digits.empty()) {
    const std::size_t power = kUnits.find(digits.back());
    if (power != std::string_view::npos) {
      unit = std::int64_t{1} << (10 * (power + 1));
      digits.remove_suffix(1);
    }
  }
  const auto number = exact_number<std::int64_t>(digits);
  std::int64_t bytes = 0;
  if (!number || *number < 1 || __builtin_mul_overflow(*number, unit, &bytes)) {
    throw Exit{kBadInput,
               fmt::format("{}: \"{}\" is not a size, expected a whole number of bytes, or "
                           "one followed by K, M, G or T",
                           option, text)};
  }
  return bytes;
}

}  // namespace tonnage::cli
