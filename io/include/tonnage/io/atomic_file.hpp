// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Saves that happen entirely or not at all. Owns: the temporary file or folder, its removal, and
// what may be replaced.
//
// Example:
//   tonnage::AtomicFile file("plan.json");
//   file.write("{\"allocations\": {}}\n");
//   file.commit();  // before this call "plan.json" is unchanged
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// A file written in pieces under a temporary name (".tonnage-" and 16 hexadecimal digits, in the
// same folder). commit() gives it its final name; without commit() the destructor removes it.
// Throws Error (kIo) naming the path and the reason.
//
// Symbolic links are followed: their target is written, and created if it does not exist. An
// existing file keeps its permissions, and its owner and group where the system allows it. A file
// without write permission is not replaced. A new file follows the umask. A path that is not a
// regular file (a pipe, a device), or that is an open file of this process (/dev/stdout), is
// written to directly.
class AtomicFile {
 public:
  // `unfinished`, here and below, receives temporary names; it must outlive the object.
  explicit AtomicFile(const std::string& path, UnfinishedFiles* unfinished = nullptr);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  void write(std::string_view text);
  void commit();

 private:
  class File;
  std::unique_ptr<File> file_;
};

// Replaces the file at `path` by one that holds `text`, as AtomicFile does: readers see the old or
// the new content, and a failure leaves the old one.
void write_file_atomically(const std::string& path, std::string_view text,
                           UnfinishedFiles* unfinished = nullptr);

// How folders of one kind are recognised: one of their files, the mark, lists all files.
struct FolderForm {
  std::string noun;  // for messages: "a grid"
  std::string mark;  // the name of the mark
  // The names of all files of such a folder, the mark included, given the text of the mark; empty
  // if the text is not a mark.
  std::function<std::vector<std::string>(const std::string& mark_text)> files;
};

// A folder whose files are written in pieces, at any offset and by several threads. Like AtomicFile
// it gets its name as a whole, writes through symbolic links and throws Error (kIo).
//
// An existing folder is replaced if it is empty, or if it has the given form and holds exactly the
// regular files that its mark lists. In any other case Error (kInvalidInput) says what prevents it.
// Where the file system can exchange two names atomically (most on Linux can), a reader finds the
// old or the new folder at any time. Elsewhere there is a moment between two renames in which the
// name does not exist.
class AtomicFolder {
 public:
  AtomicFolder(const std::string& path, FolderForm form, UnfinishedFiles* unfinished = nullptr);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  ~AtomicFolder();

  // Adds a file and returns its number. Add all files before writing to any.
  int add(const std::string& name);
  void write_at(int file, std::int64_t offset, std::string_view bytes);
  // Free bytes on the disk of the folder, or -1 if not known.
  [[nodiscard]] std::int64_t free_bytes() const;
  // Gives the folder its name and removes the replaced one, after checking it again: the files
  // listed by its mark, and no others. Returns a message for the user if the old folder, or a part
  // of it, could not be removed and remains beside the new one; else empty.
  [[nodiscard]] std::string commit();

 private:
  class Folder;
  std::unique_ptr<Folder> folder_;
};

}  // namespace tonnage
