// How the program ends from outside: by Ctrl-C, kill, a terminal that goes away, or a reader of its
// output that has had enough. Owns: the signal handlers, and what they take back, that is the files
// under way and the progress bar. All of it belongs to the process, as signals do.
#pragma once

#include <string_view>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage::cli {

// From now on signals that would end the program at once first remove its unfinished files and wipe
// its progress bar; then they end it as they would have, whatever it is doing. Signals ignored when
// it started stay ignored. Writing into a closed pipe, or beyond the largest size of a file that
// the shell allows, becomes an error of write(). Called once, before any thread starts.
void prepare_for_signals();

// To be told of the files under way.
UnfinishedFiles& unfinished_files();

// Ends the program as SIGPIPE does. Returns only where that signal was ignored when the program
// started: its caller then wants to be told.
void end_by_closed_pipe();

// Shows `line`, of kProgressWidth characters, at the start of the line of the terminal on standard
// error, unless that terminal is stopped.
inline constexpr int kProgressWidth = 52;
void draw_progress(std::string_view line);
// Leaves an empty line if something is drawn on it.
void wipe_progress();

}  // namespace tonnage::cli
