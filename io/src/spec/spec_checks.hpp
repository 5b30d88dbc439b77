// What relates the entries of a spec: batch ceilings beyond the limit (errors) and names that refer
// to nothing (warnings; a plan gives them as the reasons why servers stay unallocated).
#pragma once

#include "io/src/spec/spec_sections.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

void check_spec(const SystemSpec& spec, const SectionSources& sources, Diagnostics& diagnostics);

}  // namespace tonnage
