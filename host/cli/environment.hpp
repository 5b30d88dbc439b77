// What every command shares: global options, where output goes, how input problems are shown.
// Owns: exit codes, standard output and standard error, the progress bar.
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

// Writes to standard error text in which what comes from outside has become printable(). A failure
// there has nowhere to be told and changes nothing.
void say(std::string_view text);
// Makes a message printable and says it on a line of its own.
void say_line(std::string_view message);

struct Environment {
  bool quiet = false;
  std::string color = "auto";  // auto, always, never
  int num_threads = 0;

  // Standard output takes colour.
  [[nodiscard]] bool colored() const;

  // Writes to standard output, or atomically to `path` unless it is empty. Throws Exit(kFailure).
  void write(std::string_view text, const std::string& path) const;
  // A message on standard error, on a line of its own, unless quiet.
  void note(std::string_view message) const;
  // Shows warnings (a few, unless quiet) and errors (all); throws Exit(kBadInput) if there are
  // errors.
  void check(const Diagnostics& diagnostics) const;
  // Reads a fleet and checks it. Says so when it waits for a person to type one.
  [[nodiscard]] SystemSpec read_fleet(const std::string& path) const;

  // A progress bar on standard error when a person watches, else nothing.
  [[nodiscard]] ProgressCallback progress() const;
};

}  // namespace tonnage::cli
