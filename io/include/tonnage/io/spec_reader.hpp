// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads a fleet from spec files. Owns: which files and folders are accepted, and the reporting of
// all mistakes of all files at once. The format is in docs/file-format.md.
//
// Example:
//   const tonnage::SpecReadResult read = tonnage::read_system("fleet.json");
//   if (!read.ok()) std::fputs(read.diagnostics.to_text().c_str(), stderr);
//   std::printf("%zu servers\n", read.spec.servers.size());
#pragma once

#include <string>
#include <string_view>

#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

struct SpecReadResult {
  SystemSpec spec;  // meaningful only when there are no errors
  Diagnostics diagnostics;

  [[nodiscard]] bool ok() const noexcept { return !diagnostics.has_errors(); }
};

// Reads a combined file, a folder of the six files (optimizer and capacity may be absent), or
// standard input where `path` is "-". A file that exists but cannot be read is an error of the
// result, also one of the two optional ones.
[[nodiscard]] SpecReadResult read_system(const std::string& path);

// Reads the text of a combined file; `name` names it in diagnostics.
[[nodiscard]] SpecReadResult read_system_from_string(std::string_view text,
                                                     const std::string& name);

// The whole content of a file, or of standard input where `path` is "-". Throws Error (kIo) naming
// the path and the reason, also for content above 1 GiB.
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace tonnage
