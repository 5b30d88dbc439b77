// Gets the text of an input: a file or standard input, up to a size limit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

inline constexpr std::size_t kMaxInputBytes = std::size_t{1} << 30;

// The content of `path` ("-": standard input). What prevents reading is added to `diagnostics`.
[[nodiscard]] std::optional<std::string> read_input_text(const std::string& path,
                                                         Diagnostics& diagnostics);

// What diagnostics call an input: the path, or "standard input" for "-".
[[nodiscard]] std::string input_display_name(const std::string& path);

}  // namespace tonnage
