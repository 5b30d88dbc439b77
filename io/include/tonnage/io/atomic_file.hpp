// Saves that either happen entirely or not at all. Owns: the temporary file and its removal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// A file written in pieces: it takes its name when commit() is called, and leaves nothing behind
// when it is not. What is no regular file is written to as it comes. Throws Error (kIo).
// `unfinished`, here and below, is told of temporary names; it outlives the object.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path, UnfinishedFiles* unfinished = nullptr);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view text);
  void commit();

 private:
  class File;
  std::unique_ptr<File> file_;
};

// A folder whose files are written in pieces and at any place, by several threads at once; like
// AtomicFile it takes its name as a whole. An existing folder is replaced only if it holds a file
// named `mark`; otherwise, and where something else has the name, Error (kInvalidInput) is thrown.
class AtomicFolder {
 public:
  AtomicFolder(const std::string& path, const std::string& mark,
               UnfinishedFiles* unfinished = nullptr);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  ~AtomicFolder();

  // Adds a file and returns its number. All files are added before the first is written to.
  int add(const std::string& name);
  void write_at(int file, std::int64_t offset, std::string_view bytes);
  // Bytes that its disk has left, or -1 where that is not known.
  [[nodiscard]] std::int64_t free_bytes() const;
  void commit();

 private:
  // Gives the folder its name; returns where the one before is now, or nothing.
  std::string take_name();
  void discard(const std::string& folder);

  std::string target_, temporary_;
  std::string mark_;
  UnfinishedFiles* unfinished_;
  std::vector<int> descriptors_;
  std::vector<std::string> names_;
};

// Replaces the file at `path` by one that holds `text`: a temporary file in the same folder,
// flushed to disk, then renamed, so that a reader sees the old or the new content and a failure
// leaves the old. Keeps the permissions of an existing file (a new one follows the umask) and
// writes through a symbolic link. What is no regular file (a pipe, /dev/stdout) is simply written
// to. Throws Error (kIo) naming the path and the reason.
void write_file_atomically(const std::string& path, std::string_view text,
                           UnfinishedFiles* unfinished = nullptr);

}  // namespace tonnage
