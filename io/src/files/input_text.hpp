// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The text of an input: a file or standard input. Owns: the size limit, and the name of an input in
// diagnostics.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

inline constexpr std::size_t kMaxInputBytes = std::size_t{1} << 30;

// The content of `path` ("-": standard input). A failure is added to `diagnostics`.
[[nodiscard]] std::optional<std::string> read_input_text(const std::string& path,
                                                         Diagnostics& diagnostics);

// The name of an input in diagnostics: its path, or "standard input" for "-".
[[nodiscard]] std::string input_display_name(const std::string& path);

}  // namespace tonnage
