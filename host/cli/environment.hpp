// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What all commands share: global options, output, and the report of input problems. Owns: exit
// codes, standard output, standard error and the progress bar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tonnage/core/progress.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage::cli {

enum ExitCode : int {
  kSuccess = 0,     // everything was done, every server allocated
  kFailure = 1,     // disk, memory, backend
  kBadInput = 2,    // input refused, or wrong usage
  kIncomplete = 3,  // planned, but some servers unallocated or partial; verify: violations
};

// Ends a command early: its message goes to standard error, its code to the shell.
struct Exit {
  ExitCode code;
  std::string message;  // may be empty when everything has been said
};

// Writes text to standard error; parts from outside must be printable() already. Failures are
// ignored, since there is nowhere to report them.
void say(std::string_view text);
// Writes a printable message on a line of its own to standard error.
void say_line(std::string_view message);

struct Environment {
  bool quiet = false;
  std::string color = "auto";  // auto, always, never
  int num_threads = 0;

  // Whether standard output takes colour.
  [[nodiscard]] bool colored() const;

  // Writes to standard output, or atomically to `path` unless it is empty. Throws Exit(kFailure).
  void write(std::string_view text, const std::string& path) const;
  // Writes a message to standard error on a line of its own, unless quiet.
  void note(std::string_view message) const;
  // Shows warnings (a few, unless quiet) and errors (all); throws Exit(kBadInput) if there are
  // errors.
  void check(const Diagnostics& diagnostics) const;
  // Reads and checks a fleet. Prints a hint if it waits for input from a terminal.
  [[nodiscard]] SystemSpec read_fleet(const std::string& path) const;

  // A progress bar on standard error if it is a terminal; else nothing.
  [[nodiscard]] ProgressCallback progress() const;
};

}  // namespace tonnage::cli
