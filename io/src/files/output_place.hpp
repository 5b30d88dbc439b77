// Where an output goes once symbolic links are followed. Owns: following links, temporary names
// beside the output, and what a replacement keeps of what it replaces.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>

#include "tonnage/io/unfinished_files.hpp"

namespace tonnage {

// Throws Error (kIo): "cannot write PATH: WHAT: reason of `error`, an errno".
[[noreturn]] void fail_to_write(const std::string& path, const std::string& what, int error);

// An open file or folder, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { (void)close_now(); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int release();
  // Returns 0, or the errno of the failure.
  [[nodiscard]] int close_now();

 private:
  int number_;
};

// The folder that holds an output, kept open, and the name of the output in it. What happens to the
// path of that folder after construction does not matter.
class OutputPlace {
 public:
  // Follows the links that `path` ends in, so that what a link points to is written, also where it
  // does not exist yet. Throws Error (kIo): a loop of links, a folder that cannot be reached.
  // `unfinished`, where there is one, is told of temporary names.
  explicit OutputPlace(std::string path, UnfinishedFiles* unfinished = nullptr);

  [[nodiscard]] const std::string& path() const { return path_; }  // as the caller named it
  [[nodiscard]] int folder() const { return folder_.number(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // What has the name, itself and not what it may point to; nothing: nobody has it.
  [[nodiscard]] std::optional<struct stat> status() const;
  // The name stands for an open file of this process (/dev/stdout, /proc/self/fd/3): its number.
  [[nodiscard]] std::optional<int> open_file() const;
  // The path of `name` in the folder, for messages and for `unfinished`.
  [[nodiscard]] std::string sibling(const std::string& name) const;

  // Makes something under a short name that nobody has. `make` takes the name and returns false
  // with errno set when it fails; `what` says in messages what is made.
  [[nodiscard]] std::string make_temporary(const char* what,
                                           const std::function<bool(const char*)>& make) const;
  // Removes what make_temporary made: a file, or a folder that is empty. Returns 0 or an errno.
  int remove_temporary(const std::string& name, bool is_folder) const;
  // Gives a temporary file, or a folder, the name of the output. Returns 0 or an errno.
  [[nodiscard]] int rename_temporary(const std::string& name) const;
  [[nodiscard]] UnfinishedFiles* unfinished() const { return unfinished_; }

  // Makes changes of names durable. Not every file system can, and the names are in place by then,
  // so a failure is none of the output.
  void flush_folder() const;

 private:
  std::string path_;
  UnfinishedFiles* unfinished_;
  std::string folder_path_ = ".";  // or ended by a slash
  Descriptor folder_;
  std::string name_;
};

// Gives a new file or folder the owner, group and permissions of the one it will replace. Where
// owner or group cannot be kept, nobody gets permissions that he did not have. Returns 0 or an
// errno.
[[nodiscard]] int keep_attributes(int descriptor, const struct stat& replaced);

}  // namespace tonnage
