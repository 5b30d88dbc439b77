// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Warns of names in comma-separated values that a spreadsheet reads as formulas. Files hold names
// unchanged, so that programs read back what the fleet states; a person who opens such a file in a
// spreadsheet needs the warning.
#pragma once

#include <string_view>
#include <vector>

#include "host/cli/environment.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::cli {

// Prints a note on standard error if some of the names begin with =, +, -, @, tab or carriage
// return.
void note_formulas(const std::vector<std::string_view>& names, const Environment& environment);

// Checks the names of servers and accelerators of a fleet.
void note_formulas(const System& system, const Environment& environment);

}  // namespace tonnage::cli
