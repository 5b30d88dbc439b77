// Saves that either happen entirely or not at all. Owns: the temporary file and its removal.
#pragma once

#include <string>
#include <string_view>

namespace tonnage {

// Replaces the file at `path` by one that holds `text`: a temporary file in the same folder,
// flushed to disk, then renamed, so that a reader sees the old or the new content and a failure
// leaves the old. Keeps the permissions of an existing file (a new one follows the umask) and
// writes through a symbolic link. What is no regular file (a pipe, /dev/stdout) is simply written
// to. Throws Error (kIo) naming the path and the reason.
void write_file_atomically(const std::string& path, std::string_view text);

}  // namespace tonnage
