// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Shortens text for messages, and formats numbers and CSV fields.
#include "io/src/results/text_rendering.hpp"

#include <array>
#include <charconv>
#include <cstddef>

#include "tonnage/core/printable.hpp"

namespace tonnage {
namespace {

constexpr std::size_t kLongestRendering = 60;
constexpr std::size_t kLongestPointerStep = 100;

// At most the first `limit` bytes, without a UTF-8 sequence broken at the cut. A sequence has at
// most three bytes after its first one; more means that the text is not UTF-8.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end + 3 > limit && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::string shortened(std::string_view text) {
  const std::string_view kept = cut(text, kLongestRendering);
  return printable(kept) + (kept.size() < text.size() ? "..." : "");
}

std::string quoted(std::string_view text) { return '"' + shortened(text) + '"'; }

std::string pointer_step(std::string_view key) {
  const std::string_view kept = cut(key, kLongestPointerStep);
  std::string result;
  for (const char c : kept) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return kept.size() < key.size() ? result + "..." : result;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace tonnage
