// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Text forms of values and keys in messages and files. Owns: lengths, quoting, and number formats.
#pragma once

#include <string>
#include <string_view>

namespace tonnage {

// At most the first 60 bytes, cut between characters and marked "...", made printable().
[[nodiscard]] std::string shortened(std::string_view text);

// The shortened text in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);

// One step of a JSON pointer: '~' and '/' escaped, cut after 100 bytes.
[[nodiscard]] std::string pointer_step(std::string_view key);

// The shortest decimal form that reads back as the same number.
[[nodiscard]] std::string number_text(double value);

// A field of comma-separated values, quoted if necessary.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace tonnage
