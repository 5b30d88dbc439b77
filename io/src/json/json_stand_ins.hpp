// Numbers that no JSON parser can hand over: beyond float64, and words for what is not finite.
// Owns: finding them in a text, and the text with something readable in their place, so that one of
// them does not keep the rest of the file from being checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

// What stands in the place of such a number, followed by as many spaces as it is shorter.
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
