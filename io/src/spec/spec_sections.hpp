// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The six sections of a spec: their keys and files, and the reading of each into its structs. Owns:
// the fields with their ranges and defaults. Relations between entries are in spec_checks.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "io/src/spec/fields.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

enum class Section { kAccelerators, kCapacities, kModels, kServiceClasses, kServers, kOptimizer };
inline constexpr std::size_t kSectionCount = 6;

struct SectionLayout {
  Section section;
  std::string_view key;        // in "system"
  std::string_view file_name;  // in a folder
  std::string_view content;    // the one key inside
  Presence presence;
};

inline constexpr std::array<SectionLayout, kSectionCount> kSectionLayouts = {{
    {Section::kAccelerators, "acceleratorData", "accelerator-data.json", "accelerators",
     Presence::kRequired},
    {Section::kCapacities, "capacityData", "capacity-data.json", "count", Presence::kOptional},
    {Section::kModels, "modelData", "model-data.json", "models", Presence::kRequired},
    {Section::kServiceClasses, "serviceClassData", "serviceclass-data.json", "serviceClasses",
     Presence::kRequired},
    {Section::kServers, "serverData", "server-data.json", "servers", Presence::kRequired},
    {Section::kOptimizer, "optimizerData", "optimizer-data.json", "optimizer", Presence::kOptional},
}};

// Where a section was found; the entries of its list are at pointer/0, pointer/1, ...
struct SectionSource {
  bool read = false;
  std::string file;
  std::string pointer;
};
using SectionSources = std::array<SectionSource, kSectionCount>;  // by Section

// Reads a section object {"<content>": ...} of the file of `report`. Every entry of a list becomes
// an entry of the spec, even a faulty one, so that positions agree.
void read_section(const SectionLayout& layout, const JsonValue& value, const std::string& file,
                  Report& report, SystemSpec& spec, SectionSources& sources);

// Reads an allocation object.
[[nodiscard]] AllocationSpec read_allocation(const JsonValue& value, Presence load,
                                             Fields::UnknownKeys unknown_keys, Report& report);

}  // namespace tonnage
