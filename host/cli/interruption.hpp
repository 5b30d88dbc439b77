// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// How the program ends from outside: Ctrl-C, kill, a closed terminal, or a closed pipe. Owns: the
// signal handlers and what they clean up, which is unfinished files and the progress bar.
#pragma once

#include <string_view>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage::cli {

// Installs the handlers. Signals that would end the program first remove its unfinished files and
// wipe its progress bar, then end it as they would have. Signals ignored at the start stay ignored.
// Writing into a closed pipe, or beyond the file size limit of the shell, becomes an error of
// write(). Call once, before any thread starts.
void prepare_for_signals();

// The observer of saves; hand it to everything that writes files.
UnfinishedFiles& unfinished_files();

// Ends the program as SIGPIPE does. Returns only if that signal was ignored at the start; the
// caller then reports the failed write.
void end_by_closed_pipe();

// Shows `line`, kProgressWidth characters long, at the start of the terminal line of standard
// error, unless that terminal is stopped.
inline constexpr int kProgressWidth = 64;
void draw_progress(std::string_view line);
// Wipes the line if something is drawn on it.
void wipe_progress();

}  // namespace tonnage::cli
