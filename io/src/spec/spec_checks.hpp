// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Checks between entries of a spec. Owns: batch ceilings beyond the limit (errors), and dangling
// references (warnings; a plan reports them as reasons for unserved servers).
#pragma once

#include "io/src/spec/spec_sections.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

void check_spec(const SystemSpec& spec, const SectionSources& sources, Diagnostics& diagnostics);

}  // namespace tonnage
