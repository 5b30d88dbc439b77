// Saves that either happen entirely or not at all. Owns: the temporary file or folder, its removal,
// and what may be replaced.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// A file written in pieces: it takes its name when commit() is called, and leaves nothing behind
// when it is not. Until then its content lies beside it, as ".tonnage-" and 16 hexadecimal digits.
// Throws Error (kIo) naming the path and the reason.
//
// Symbolic links are followed: what they point to is written, and made if it does not exist. An
// existing file keeps its permissions, and its owner and group where the system allows it; one that
// may not be written to is not replaced. A new file follows the umask. What is no regular file (a
// pipe, a device), or an open file of this process (/dev/stdout), is written to as it comes.
class AtomicFile {
 public:
  // `unfinished`, here and below, is told of temporary names; it outlives the object.
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

// Replaces the file at `path` by one that holds `text`, as AtomicFile does: a reader sees the old
// or the new content, and a failure leaves the old.
void write_file_atomically(const std::string& path, std::string_view text,
                           UnfinishedFiles* unfinished = nullptr);

// How folders of one kind are told from all others: a file of theirs lists what they hold.
struct FolderForm {
  std::string noun;  // for messages: "a grid"
  std::string mark;  // the name of that file
  // The names of all files of such a folder, from the text of its mark, which is among them; none
  // where the text is not that of such a folder.
  std::function<std::vector<std::string>(const std::string& mark_text)> files;
};

// A folder whose files are written in pieces and at any place, by several threads at once; like
// AtomicFile it takes its name as a whole, writes through symbolic links and throws Error (kIo).
//
// An existing folder is replaced if it is empty, or if it is whole and of the given form and holds
// nothing else: regular files, exactly those that its mark lists. For anything else Error
// (kInvalidInput) says what stands in the way. Where the file system can exchange two names at once
// (most on Linux can), a reader finds the old or the new folder at any time; elsewhere there is a
// moment between two renames in which neither has the name.
class AtomicFolder {
 public:
  AtomicFolder(const std::string& path, FolderForm form, UnfinishedFiles* unfinished = nullptr);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  ~AtomicFolder();

  // Adds a file and returns its number. All files are added before the first is written to.
  int add(const std::string& name);
  void write_at(int file, std::int64_t offset, std::string_view bytes);
  // Bytes that its disk has left, or -1 where that is not known.
  [[nodiscard]] std::int64_t free_bytes() const;
  // What the folder replaces is looked at once more, then removed: the files that its mark lists,
  // and no others. Returns what to tell people where that fails and the old folder, or what is left
  // of it, lies beside the new one; empty otherwise.
  [[nodiscard]] std::string commit();

 private:
  class Folder;
  std::unique_ptr<Folder> folder_;
};

}  // namespace tonnage
