// Reads a fleet from spec files. Owns: which files and folders are accepted, and that every problem
// of all of them is reported at once. The format: docs/file-format.md.
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

// Reads a combined file, a folder of the six files (those of optimizer and capacity may be absent),
// or standard input where `path` is "-". A file that is there but cannot be read, also one of those
// two, is an error of the result.
[[nodiscard]] SpecReadResult read_system(const std::string& path);

// Reads the text of a combined file; `name` is what diagnostics call it.
[[nodiscard]] SpecReadResult read_system_from_string(std::string_view text,
                                                     const std::string& name);

// Whole content of a file, or of standard input where `path` is "-". Throws Error (kIo) naming the
// path and the reason, also for more than 1 GiB.
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace tonnage
