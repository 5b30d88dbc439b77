// Saves that are whole or not there at all.
#pragma once

#include <string>
#include <string_view>

namespace tonnage {

// Writes `text` to a temporary file beside `path`, flushes it to disk and renames it to `path`. On
// failure nothing is left behind and an existing file is untouched; throws Error (kIo) naming the
// path and the reason. Keeps the permissions of an existing file.
void write_file_atomically(const std::string& path, std::string_view text);

}  // namespace tonnage
