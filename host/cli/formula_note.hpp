// Names in comma-separated values that a spreadsheet would take for formulas. The files hold names
// exactly as they are, so that programs read back what the fleet says; a person who opens such a
// file in a spreadsheet is told.
#pragma once

#include <string_view>
#include <vector>

#include "host/cli/environment.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::cli {

// Notes on standard error that some of the names begin with =, +, -, @, tab or carriage return.
void note_formulas(const std::vector<std::string_view>& names, const Environment& environment);

// The same of the servers and accelerators of a fleet.
void note_formulas(const System& system, const Environment& environment);

}  // namespace tonnage::cli
