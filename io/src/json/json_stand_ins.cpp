// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Finds numbers beyond float64 and words such as NaN in JSON text, and replaces them by readable
// numbers.
#include "io/src/json/json_stand_ins.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace tonnage {
namespace {

bool is_word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
         c == '-' || c == '.';
}

// The kind of an unreadable word; absent if the parser accepts the word, or rightly refuses it.
std::optional<StoodFor::Kind> kind_of(std::string_view word) {
  if (word == kStandIn) return StoodFor::Kind::kItself;
  if (word.size() < kStandIn.size()) return std::nullopt;
  std::string_view digits = word;
  if (digits.front() == '+') digits.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (end != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc()) {
    if (std::isfinite(number)) return std::nullopt;
    return StoodFor::Kind::kNotANumber;
  }
  // Too large. (The parser reads numbers that are too small as 0.)
  if (error != std::errc::result_out_of_range || nlohmann::json::accept(word)) return std::nullopt;
  return StoodFor::Kind::kOverflow;
}

// The end of the string that starts at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

StandIns put_stand_ins(std::string_view text) {
  StandIns result{.text = std::string(text), .replaced = {}};
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word_character(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (const auto kind = word.empty() ? std::nullopt : kind_of(word)) {
      result.replaced.push_back({*kind, word});
      std::string in_place(kStandIn);
      in_place.resize(word.size(), ' ');
      result.text.replace(at, word.size(), in_place);
    }
    at = std::max(end, at + 1);
  }
  return result;
}

}  // namespace tonnage
