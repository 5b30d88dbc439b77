// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The grid of candidates as a command. Owns: its arguments.
#pragma once

#include <string>

#include "host/cli/environment.hpp"
#include "tonnage/core/grid.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage::cli {

struct GridArguments {
  std::string server, accelerator;  // empty: all
  std::string batches, replicas;    // FIRST:LAST[:STEP], empty: the defaults
  std::string fields;               // names separated by commas, empty: all
  std::string memory = "1G";
  std::string format, output, backend;
  bool percentiles = false;
};

// Writes the grid. Throws Exit(kBadInput) for invalid arguments.
ExitCode write_grid(const System& system, const GridArguments& arguments,
                    const Environment& environment);

}  // namespace tonnage::cli
