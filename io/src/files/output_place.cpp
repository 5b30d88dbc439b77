// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Follows symbolic links, makes and renames temporary files, and copies attributes.
#include "io/src/files/output_place.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

struct SplitPath {
  std::string folder;  // "." or ended by a slash
  std::string name;    // "." for the root
};

SplitPath split(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == "/") return {"/", "."};
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", std::string(path)};
  return {std::string(path.substr(0, slash + 1)), std::string(path.substr(slash + 1))};
}

// The target of a link, or nothing with errno set.
std::optional<std::string> read_link(int folder, const std::string& name) {
  std::string text(PATH_MAX, '\0');
  const ssize_t length = readlinkat(folder, name.c_str(), text.data(), text.size());
  if (length < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

void fail_to_write(const std::string& path, const std::string& what, int error) {
  throw Error(ErrorCode::kIo, "cannot write " + path + ": " + what + ": " + std::strerror(error));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  const int number = other.release();
  (void)close_now();
  number_ = number;
  return *this;
}

int Descriptor::release() { return std::exchange(number_, -1); }

int Descriptor::close_now() {
  const int number = release();
  return number < 0 || close(number) == 0 ? 0 : errno;
}

OutputPlace::OutputPlace(std::string path, UnfinishedFiles* unfinished)
    : path_(std::move(path)), unfinished_(unfinished) {
  if (path_.empty() || path_.find('\0') != path_.npos) fail_to_write(path_, "its name", EINVAL);
  constexpr int kMaxLinks = 40;  // as many as the system follows
  std::string next = path_;
  for (int followed = 0;; ++followed) {
    const SplitPath at = split(next);
    // Link targets are relative to the folder of the link unless absolute.
    const int base = folder_.is_open() ? folder_.number() : AT_FDCWD;
    Descriptor folder(openat(base, at.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) {
      const int error = errno;
      fail_to_write(path_, "opening the folder of " + (followed == 0 ? "it" : next), error);
    }
    folder_ = std::move(folder);
    if (at.folder.starts_with('/') || folder_path_ == ".") {
      folder_path_ = at.folder;
    } else if (at.folder != ".") {
      folder_path_ += at.folder;
    }
    name_ = at.name;
    if (open_file()) return;
    const std::optional<struct stat> found = status();
    if (!found || !S_ISLNK(found->st_mode)) return;
    // Only dangling links are followed here. A link that the system refuses to follow (a loop, a
    // foreign one in /tmp) is not followed.
    const char* const following = "following its symbolic links";
    struct stat through {};
    if (fstatat(folder_.number(), name_.c_str(), &through, 0) != 0) {
      if (errno != ENOENT) fail_to_write(path_, following, errno);
    } else if (!S_ISREG(through.st_mode) && !S_ISDIR(through.st_mode)) {
      return;  // open it through its link: the text of some links in /proc is not a path
    }
    if (followed == kMaxLinks) fail_to_write(path_, following, ELOOP);
    const auto text = read_link(folder_.number(), name_);
    if (!text) fail_to_write(path_, following, errno);
    next = *text;
  }
}

std::optional<struct stat> OutputPlace::status() const {
  struct stat found {};
  if (fstatat(folder_.number(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return found;
  if (errno != ENOENT) fail_to_write(path_, "looking for it", errno);
  return std::nullopt;
}

std::optional<int> OutputPlace::open_file() const {
  struct stat own {};
  struct stat folder {};
  if (stat("/proc/self/fd", &own) != 0 || fstat(folder_.number(), &folder) != 0 ||
      !same_file(own, folder)) {
    return std::nullopt;
  }
  int number = -1;
  const auto [end, error] = std::from_chars(name_.data(), name_.data() + name_.size(), number);
  if (error != std::errc() || end != name_.data() + name_.size()) return std::nullopt;
  return number;
}

std::string OutputPlace::sibling(const std::string& name) const {
  return folder_path_ == "." ? name : folder_path_ + name;
}

std::string OutputPlace::make_temporary(const char* what,
                                        const std::function<bool(const char*)>& make) const {
  constexpr int kAttempts = 100;
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  int error = EEXIST;
  for (int attempt = 0; attempt < kAttempts && error == EEXIST; ++attempt) {
    // The name is short, because a long output name may leave no room for a suffix.
    std::string name = ".tonnage-";
    for (int digit = 0; digit < 16; ++digit) name += kDigits[random() % 16];
    UnfinishedChange change(unfinished_);
    change.add(sibling(name));
    if (make(name.c_str())) return name;
    error = errno;
    change.remove(sibling(name));
  }
  fail_to_write(path_, std::string("creating a temporary ") + what + " beside it", error);
}

int OutputPlace::remove_temporary(const std::string& name, bool is_folder) const {
  UnfinishedChange change(unfinished_);
  if (unlinkat(folder_.number(), name.c_str(), is_folder ? AT_REMOVEDIR : 0) != 0) return errno;
  change.remove(sibling(name));
  return 0;
}

int OutputPlace::rename_temporary(const std::string& name) const {
  UnfinishedChange change(unfinished_);
  if (renameat(folder_.number(), name.c_str(), folder_.number(), name_.c_str()) != 0) return errno;
  change.remove(sibling(name));
  return 0;
}

void OutputPlace::flush_folder() const {
  const Descriptor folder(openat(folder_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) (void)fsync(folder.number());
}

int keep_attributes(int descriptor, const struct stat& replaced) {
  mode_t mode = replaced.st_mode & 07777;
  struct stat own {};
  if (fstat(descriptor, &own) != 0) return errno;
  const bool alien = own.st_uid != replaced.st_uid || own.st_gid != replaced.st_gid;
  if (alien && fchown(descriptor, replaced.st_uid, replaced.st_gid) != 0) {
    mode &= ~mode_t{S_ISUID | S_ISGID};
    constexpr auto kSameOwner = static_cast<uid_t>(-1);
    if (own.st_gid != replaced.st_gid && fchown(descriptor, kSameOwner, replaced.st_gid) != 0) {
      // The members of the new group had the permissions of others before.
      mode = (mode & ~mode_t{S_IRWXG}) | ((mode & S_IRWXO) << 3);
    }
  }
  return fchmod(descriptor, mode) == 0 ? 0 : errno;
}

}  // namespace tonnage
