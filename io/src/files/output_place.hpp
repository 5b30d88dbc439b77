// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The place of an output after following symbolic links. Owns: following links, temporary names
// beside the output, and which attributes of a replaced file are kept.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// Throws Error (kIo): "cannot write PATH: WHAT: reason of `error`, an errno".
[[noreturn]] void fail_to_write(const std::string& path, const std::string& what, int error);

// An open file or folder, closed by the destructor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { (void)close_now(); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int release();
  // Closes it. Returns 0 or an errno.
  [[nodiscard]] int close_now();

 private:
  int number_;
};

// The folder of an output, kept open, and the name of the output in it. Later changes of the path
// of that folder do not matter.
class OutputPlace {
 public:
  // Follows the links at the end of `path`, so that their target is written, even if it does not
  // exist. Throws Error (kIo) for a loop of links or an unreachable folder. `unfinished`, if given,
  // receives temporary names.
  explicit OutputPlace(std::string path, UnfinishedFiles* unfinished = nullptr);

  [[nodiscard]] const std::string& path() const { return path_; }  // as the caller named it
  [[nodiscard]] int folder() const { return folder_.number(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // The status of what has the name, without following links; nothing if there is none.
  [[nodiscard]] std::optional<struct stat> status() const;
  // The descriptor, if the name stands for an open file of this process (/dev/stdout,
  // /proc/self/fd/3).
  [[nodiscard]] std::optional<int> open_file() const;
  // The path of `name` in the folder, for messages and for `unfinished`.
  [[nodiscard]] std::string sibling(const std::string& name) const;

  // Creates something under a short unused name. make(name) returns false with errno set on
  // failure; `what` names the thing in messages.
  [[nodiscard]] std::string make_temporary(const char* what,
                                           const std::function<bool(const char*)>& make) const;
  // Removes a temporary file, or an empty temporary folder. Returns 0 or an errno.
  int remove_temporary(const std::string& name, bool is_folder) const;
  // Renames a temporary file or folder to the output. Returns 0 or an errno.
  [[nodiscard]] int rename_temporary(const std::string& name) const;
  [[nodiscard]] UnfinishedFiles* unfinished() const { return unfinished_; }

  // Makes changes of names durable. Ignores failures: not every file system can, and the names are
  // in place by then.
  void flush_folder() const;

 private:
  std::string path_;
  UnfinishedFiles* unfinished_;
  std::string folder_path_ = ".";  // or ended by a slash
  Descriptor folder_;
  std::string name_;
};

// Gives a new file or folder the owner, group and permissions of the one it will replace. If owner
// or group cannot be kept, no user gets permissions that the old file did not give. Returns 0 or an
// errno.
[[nodiscard]] int keep_attributes(int descriptor, const struct stat& replaced);

}  // namespace tonnage
