// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Makes text from outside safe to print. Owns: which characters a terminal obeys or a reader cannot
// see, how they are escaped, and the plural of counted nouns.
//
// Example:
//   std::puts(tonnage::printable("chat\x1b[31m").c_str());  // chat\u001b[31m
//   std::puts(tonnage::counted(2, "card").c_str());         // 2 cards
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tonnage {

// The text on one line, with nothing in it that a terminal obeys or a reader cannot see: control
// characters (C0, DEL, C1), line and paragraph separators, marks, overrides and isolates of the
// writing direction, characters without width, tags, variation selectors and noncharacters appear
// as the escapes of JSON, "\u202e", beyond U+FFFF as two of them; bytes that are no UTF-8 as
// "\xff". Everything else stays as it is, backslashes too: inside a JSON string the result still
// means the same text, and the function applied twice gives what it gives once.
[[nodiscard]] std::string printable(std::string_view text);

// A count before a noun that takes an s: "1 card", "2 cards".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);

}  // namespace tonnage
