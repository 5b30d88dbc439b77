// Writes specs and solutions as the published files. Numbers read back to the same value.
#pragma once

#include <map>
#include <string>

#include "tonnage/core/spec.hpp"

namespace tonnage {

// The combined document {"system": {...}}, in the order of the spec. `compact` drops indentation.
[[nodiscard]] std::string system_to_json(const SystemSpec& spec, bool compact = false);

// Writes the six files of a folder, creating the folder if needed; each file atomically. Throws
// Error (kIo).
void write_system_folder(const SystemSpec& spec, const std::string& folder);

// {"allocations": {server: allocation}}.
[[nodiscard]] std::string solution_to_json(const std::map<std::string, AllocationSpec>& solution);

}  // namespace tonnage
