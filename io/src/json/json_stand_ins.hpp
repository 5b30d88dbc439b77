// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Stand-ins for numbers that the JSON parser cannot represent: beyond float64, or words for values
// that are not finite. Owns: finding them, and the text with readable numbers in their place, so
// that one of them does not prevent the checks of the rest of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

// The text that replaces such a number, padded with spaces to the same length.
inline constexpr std::string_view kStandIn = "0e0";

struct StoodFor {
  enum class Kind {
    kItself,      // the file has this very spelling of 0
    kOverflow,    // a number beyond float64
    kNotANumber,  // NaN, an infinity
  };
  Kind kind;
  std::string_view text;  // as in the file
};

struct StandIns {
  std::string text;                // as long as the file's, line for line
  std::vector<StoodFor> replaced;  // for each kStandIn outside strings, in the order of the text
};

// `text` must outlive the result.
[[nodiscard]] StandIns put_stand_ins(std::string_view text);

}  // namespace tonnage
