// Reads spec files into a SystemSpec. Owns: which documents are accepted.
#pragma once

#include <string>
#include <string_view>

#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

struct SpecReadResult {
  SystemSpec spec;  // meaningful only without errors
  Diagnostics diagnostics;
};

// Reads a combined file ({"system": {...}}), a folder with one file per section, or "-" for
// standard input. Every problem of every file is reported. Throws Error (kIo) if something cannot
// be read at all.
[[nodiscard]] SpecReadResult read_system(const std::string& path);

// Reads a combined document from memory; `name` stands for it in diagnostics.
[[nodiscard]] SpecReadResult read_system_from_string(std::string_view text,
                                                     const std::string& name);

// Whole content of a file, or of standard input for "-". Throws Error (kIo).
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace tonnage
