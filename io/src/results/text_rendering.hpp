// How values and keys appear in messages and files: short, on one line, as numbers, in CSV.
#pragma once

#include <string>
#include <string_view>

namespace tonnage {

// The first 60 bytes at most, cut between characters and marked "...", as printable() renders them.
[[nodiscard]] std::string shortened(std::string_view text);

// The shortened text in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);

// One step of a JSON pointer: '~' and '/' escaped, cut after 100 bytes.
[[nodiscard]] std::string pointer_step(std::string_view key);

// The shortest decimal form that reads back as the same number.
[[nodiscard]] std::string number_text(double value);

// A field of comma-separated values: quoted where it must be.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace tonnage
