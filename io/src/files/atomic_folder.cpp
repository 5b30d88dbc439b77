// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A folder saved as a whole: written under a temporary name, then exchanged with the one it
// replaces.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "io/src/files/output_place.hpp"
#include "io/src/results/text_rendering.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"

namespace tonnage {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Signals are handled between two writes to a disk, so each write must be short.
constexpr std::size_t kLargestPiece = 1 << 18;

// Lists the names in a folder, sorted; returns an errno if it cannot be read.
int list_names(int folder, std::vector<std::string>& names) {
  Descriptor own(openat(folder, ".", kFolder));
  if (!own.is_open()) return errno;
  DIR* entries = fdopendir(own.number());
  if (entries == nullptr) return errno;
  (void)own.release();
  errno = 0;
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int error = errno;
  closedir(entries);
  std::sort(names.begin(), names.end());
  return error;
}

// The text of a regular file of at most `most` bytes. Never blocks, as opening a pipe would.
std::optional<std::string> text_of(int folder, const std::string& name, std::size_t most) {
  const Descriptor file(
      openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.number(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) return std::nullopt;
  text.resize(size);
  return text;
}

// Why a folder does not have the form, or holds anything else; empty if it may be replaced. Puts
// its files into `files`.
std::string why_not_replaceable(int folder, const FolderForm& form,
                                   std::vector<std::string>& files) {
  constexpr std::size_t kMaxMarkBytes = std::size_t{1} << 20;
  std::vector<std::string> names;
  if (const int error = list_names(folder, names)) {
    return std::string("it cannot be listed: ") + std::strerror(error);
  }
  if (names.empty()) return {};
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (!has(names, form.mark)) {
    return "it holds " + quoted(names[0]) + " and no " + form.mark + " of " + form.noun;
  }
  const auto text = text_of(folder, form.mark, kMaxMarkBytes);
  if (text) files = form.files(*text);
  if (files.empty()) return "its " + form.mark + " is not that of " + form.noun;
  for (const std::string& name : names) {
    if (!has(files, name))
      return "it holds " + quoted(name) + ", which is not part of " + form.noun;
    struct stat status {};
    if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      return quoted(name) + " in it is not a regular file";
    }
  }
  for (const std::string& name : files) {
    if (!has(names, name)) return "it is incomplete: its " + quoted(name) + " is missing";
  }
  return {};
}

// Exchanges two names. Returns 0 or an errno; `possible` is false if the system or the file system
// cannot do that.
int exchange([[maybe_unused]] int folder, [[maybe_unused]] const std::string& a,
             [[maybe_unused]] const std::string& b, bool& possible) {
#ifdef RENAME_EXCHANGE
  if (renameat2(folder, a.c_str(), folder, b.c_str(), RENAME_EXCHANGE) == 0) return 0;
  possible = errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP;
  return errno;
#else
  possible = false;
  return ENOSYS;
#endif
}

}  // namespace

class AtomicFolder::Folder {
 public:
  Folder(const std::string& path, FolderForm form, UnfinishedFiles* unfinished)
      : place_(path, unfinished), form_(std::move(form)) {
    if (place_.open_file() || place_.name() == "." || place_.name() == "..") {
      throw Error(ErrorCode::kInvalidInput,
                  "cannot write " + path + ": the path must end in a folder name");
    }
    const std::optional<struct stat> existing = place_.status();
    if (existing) (void)replaceable_files(*existing);
    // Private until it gets the permissions of the replaced folder.
    const mode_t mode = existing ? 0700 : 0777;
    temporary_ = place_.make_temporary(
        "folder", [&](const char* name) { return mkdirat(place_.folder(), name, mode) == 0; });
    own_ = Descriptor(openat(place_.folder(), temporary_.c_str(), kFolder));
    int error = own_.is_open() ? 0 : errno;
    if (error == 0 && existing) error = keep_attributes(own_.number(), *existing);
    if (error == 0) return;
    (void)place_.remove_temporary(temporary_, true);
    fail_to_write(path, "setting up a temporary folder beside it", error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    if (!temporary_.empty()) (void)remove_folder(temporary_, own_, names_);
  }

  int add(const std::string& name) {
    UnfinishedChange change(place_.unfinished());
    change.add(place_.sibling(temporary_) + "/" + name);
    Descriptor file(
        openat(own_.number(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file.is_open()) {
      const int error = errno;
      change.remove(place_.sibling(temporary_) + "/" + name);
      fail_to_write(place_.path() + "/" + name, "creating it", error);
    }
    names_.push_back(name);
    files_.push_back(std::move(file));
    return static_cast<int>(files_.size()) - 1;
  }

  void write_at(int file, std::int64_t offset, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = pwrite(files_[file].number(), bytes.data(),
                                     std::min(bytes.size(), kLargestPiece), offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_to_write(place_.path() + "/" + names_[file], "writing", errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += written;
    }
  }

  [[nodiscard]] std::int64_t free_bytes() const {
    struct statvfs disk {};
    if (fstatvfs(own_.number(), &disk) != 0) return -1;
    return static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  }

  std::string commit() {
    for (Descriptor& file : files_) {
      int error = fsync(file.number()) == 0 ? 0 : errno;
      const int closing = file.close_now();
      if (error == 0) error = closing;
      if (error != 0) fail_to_write(place_.path(), "flushing to disk", error);
    }
    (void)fsync(own_.number());  // as flush_folder()
    const std::optional<struct stat> existing = place_.status();
    std::vector<std::string> replaced;
    if (existing) replaced = replaceable_files(*existing);
    const std::string old = take_name(existing.has_value(), replaced);
    place_.flush_folder();
    return old.empty() ? "" : remove_old(old, replaced);
  }

 private:
  // The files of the folder that has the name. Throws Error (kInvalidInput) if it may not be
  // replaced.
  [[nodiscard]] std::vector<std::string> replaceable_files(const struct stat& existing) const {
    std::vector<std::string> files;
    std::string why;
    if (!S_ISDIR(existing.st_mode)) {
      why = "it is not a folder";
    } else if (faccessat(place_.folder(), place_.name().c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      why = std::strerror(errno);
    } else {
      const Descriptor folder(openat(place_.folder(), place_.name().c_str(), kFolder));
      why = folder.is_open() ? why_not_replaceable(folder.number(), form_, files)
                             : std::strerror(errno);
    }
    if (why.empty()) return files;
    throw Error(ErrorCode::kInvalidInput,
                place_.path() + " is not replaced: " + why + "; name a new folder");
  }

  // Gives the folder its name, and returns the temporary name of the replaced folder, or an empty
  // string. A signal meanwhile waits until the end, and then finds `replaced`, the old files,
  // reported.
  std::string take_name(bool exists, const std::vector<std::string>& replaced) {
    if (exists) {
      UnfinishedChange change(place_.unfinished());
      tell(change, temporary_, replaced);
      bool possible = true;
      const int error = exchange(place_.folder(), temporary_, place_.name(), possible);
      if (possible && error != 0) {
        fail_to_write(place_.path(), "exchanging it with the new one", error);
      }
      if (possible) return std::exchange(temporary_, {});
    }
    std::string aside;
    if (!replaced.empty()) {  // only an empty folder can be renamed over
      aside = place_.make_temporary(
          "folder", [&](const char* name) { return mkdirat(place_.folder(), name, 0700) == 0; });
    }
    UnfinishedChange change(place_.unfinished());
    if (!aside.empty()) {
      tell(change, aside, replaced);
      if (const int error = rename(place_.name(), aside)) {
        (void)unlinkat(place_.folder(), aside.c_str(), AT_REMOVEDIR);
        change.remove(place_.sibling(aside));
        fail_to_write(place_.path(), "moving the old one aside", error);
      }
    }
    if (const int error = rename(temporary_, place_.name())) {
      if (!aside.empty()) {
        (void)rename(aside, place_.name());
        change.remove(place_.sibling(aside));
      }
      fail_to_write(place_.path(), "renaming onto it", error);
    }
    change.remove(place_.sibling(temporary_));
    temporary_.clear();
    return aside;
  }

  // Reports `folder` and `files` in it, so that a signal removes them.
  void tell(UnfinishedChange& change, const std::string& folder,
            const std::vector<std::string>& files) const {
    change.add(place_.sibling(folder));
    for (const std::string& name : files) change.add(place_.sibling(folder) + "/" + name);
  }
  [[nodiscard]] int rename(const std::string& from, const std::string& to) const {
    const int folder = place_.folder();
    return renameat(folder, from.c_str(), folder, to.c_str()) == 0 ? 0 : errno;
  }

  // Removes the files `names` of a folder, then the folder. Returns 0 or an errno.
  int remove_folder(const std::string& folder_name, const Descriptor& folder,
                    const std::vector<std::string>& names) const {
    int error = 0;
    for (const std::string& name : names) {
      if (unlinkat(folder.number(), name.c_str(), 0) != 0 && errno != ENOENT) error = errno;
    }
    const int removing = place_.remove_temporary(folder_name, true);
    return removing != 0 && error != 0 ? error : removing;
  }

  [[nodiscard]] std::string remove_old(const std::string& old,
                                       const std::vector<std::string>& files) const {
    const Descriptor folder(openat(place_.folder(), old.c_str(), kFolder));
    const int error = folder.is_open() ? remove_folder(old, folder, files) : errno;
    if (error == 0) return {};
    UnfinishedChange change(place_.unfinished());
    change.remove(place_.sibling(old));
    return "the previous content of " + place_.path() + " could not be removed and is now " +
           place_.sibling(old) + ": " + std::strerror(error);
  }

  OutputPlace place_;
  FolderForm form_;
  std::string temporary_;  // empty: it has its name
  Descriptor own_;
  std::vector<Descriptor> files_;
  std::vector<std::string> names_;  // of files_
};

AtomicFolder::AtomicFolder(const std::string& path, FolderForm form, UnfinishedFiles* unfinished)
    : folder_(std::make_unique<Folder>(path, std::move(form), unfinished)) {}
AtomicFolder::~AtomicFolder() = default;
int AtomicFolder::add(const std::string& name) { return folder_->add(name); }
void AtomicFolder::write_at(int file, std::int64_t offset, std::string_view bytes) {
  folder_->write_at(file, offset, bytes);
}
std::int64_t AtomicFolder::free_bytes() const { return folder_->free_bytes(); }
std::string AtomicFolder::commit() { return folder_->commit(); }

}  // namespace tonnage
