// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes a fleet as spec files. Owns: the published layout and spelling, and numbers that read back
// as the same value. Lists keep their order; fields that this project adds are left out when 0.
//
// Example:
//   tonnage::SystemSpec spec;
//   spec.capacities.push_back({"H100", 16});
//   std::puts(tonnage::system_to_json(spec).c_str());
#pragma once

#include <string>

#include "tonnage/core/spec.hpp"

namespace tonnage {

// The text of a combined file. Throws Error (kInvalidInput) for values that JSON cannot hold: a
// number that is not finite, a name that is not UTF-8.
[[nodiscard]] std::string system_to_json(const SystemSpec& spec);

// Writes the six files of `spec` into a folder, creating it when absent; each file is replaced
// atomically, after all of them have been written. Throws Error (kInvalidInput as above, before
// anything is written; kIo).
void write_system_folder(const SystemSpec& spec, const std::string& folder);

}  // namespace tonnage
