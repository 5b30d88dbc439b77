// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The characters that are escaped, after the Unicode Character Database: Cc, Zl, Zp,
// Default_Ignorable_Code_Point and the other format characters without a glyph, noncharacters.
#include "tonnage/core/printable.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace tonnage {
namespace {

struct Range {
  char32_t first, last;
};

// Ascending. The two noncharacters at the end of each plane follow from their last 16 bits.
constexpr Range kUnseen[] = {
    {0x0000, 0x001F},    // C0
    {0x007F, 0x009F},    // DEL, C1
    {0x00AD, 0x00AD},    // soft hyphen
    {0x034F, 0x034F},    // combining grapheme joiner
    {0x061C, 0x061C},    // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x17B4, 0x17B5},    // Khmer inherent vowels
    {0x180B, 0x180F},    // Mongolian selectors and separator
    {0x200B, 0x200F},    // zero width, directional marks
    {0x2028, 0x202E},    // separators, embeddings and overrides
    {0x2060, 0x206F},    // word joiner, invisible operators, isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xFDD0, 0xFDEF},    // noncharacters
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFA0, 0xFFA0},    // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},    // specials
    {0x13430, 0x1343F},  // Egyptian hieroglyph format controls
    {0x1BCA0, 0x1BCA3},  // shorthand format controls
    {0x1D173, 0x1D17A},  // musical symbol format controls
    {0xE0000, 0xE0FFF},  // tags, variation selectors supplement
};

bool is_unseen(char32_t c) {
  if ((c & 0xFFFEU) == 0xFFFEU) return true;
  const auto* range =
      std::lower_bound(std::begin(kUnseen), std::end(kUnseen), c,
                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(kUnseen) && range->first <= c;
}

struct Character {
  char32_t code;
  std::size_t bytes;  // 0: no UTF-8
};

// The first character of a non-empty text. Overlong forms, surrogates and code points beyond
// U+10FFFF are not valid UTF-8.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : (lead >= 0xE0 ? 3 : 2);
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {0, 0};
  char32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {0, 0};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[bytes] || surrogate || code > 0x10FFFF) return {0, 0};
  return {code, bytes};
}

void append_hex(std::string& text, std::uint32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[value >> shift & 0xFU];
  }
}

void append_escape(std::string& text, char32_t code) {
  if (code > 0xFFFF) {
    append_escape(text, 0xD800 + ((code - 0x10000) >> 10U));
    append_escape(text, 0xDC00 + ((code - 0x10000) & 0x3FFU));
    return;
  }
  text += "\\u";
  append_hex(text, code, 4);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.bytes == 0) {
      result += "\\x";
      append_hex(result, static_cast<unsigned char>(text.front()), 2);
    } else if (is_unseen(c.code)) {
      append_escape(result, c.code);
    } else {
      result += text.substr(0, c.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(1, c.bytes));
  }
  return result;
}

std::string counted(std::int64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + ' ';
  text += noun;
  if (count != 1) text += 's';
  return text;
}

}  // namespace tonnage
