// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A file saved as a whole: temporary file, flush, rename. Links and temporary names are in
// output_place.cpp.
#include "tonnage/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "io/src/files/output_place.hpp"

namespace tonnage {

namespace {

// Signals are handled between two writes to a disk, so each write must be short.
constexpr std::size_t kLargestWrite = 1 << 18;

}  // namespace

class AtomicFile::File {
 public:
  File(const std::string& path, UnfinishedFiles* unfinished) : place_(path, unfinished) {
    if (const auto number = place_.open_file()) {
      // Do not reopen: a new descriptor would write from the start, over existing content.
      file_ = Descriptor(fcntl(*number, F_DUPFD_CLOEXEC, 0));
      if (!file_.is_open()) fail("opening it", errno);
      return;
    }
    const std::optional<struct stat> existing = place_.status();
    if (existing && !S_ISREG(existing->st_mode)) {
      file_ = Descriptor(openat(place_.folder(), place_.name().c_str(), O_WRONLY | O_CLOEXEC));
      if (!file_.is_open()) fail("opening it", errno);
      return;
    }
    if (path.ends_with('/')) fail("opening it", existing ? ENOTDIR : EISDIR);
    // rename() does not check permissions of the replaced file, so check them here.
    if (existing && faccessat(place_.folder(), place_.name().c_str(), W_OK, AT_EACCESS) != 0) {
      fail("replacing it", errno);
    }
    create_temporary(existing);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (!temporary_.empty()) (void)place_.remove_temporary(temporary_, false);
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written =
          ::write(file_.number(), text.data(), std::min(text.size(), kLargestWrite));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing", errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void commit() {
    if (!temporary_.empty() && fsync(file_.number()) != 0) fail("flushing to disk", errno);
    if (const int error = file_.close_now()) fail("closing", error);
    if (temporary_.empty()) return;
    if (const int error = place_.rename_temporary(temporary_)) fail("renaming onto it", error);
    temporary_.clear();
    place_.flush_folder();
  }

 private:
  [[noreturn]] void fail(const char* what, int error) const {
    fail_to_write(place_.path(), what, error);
  }

  void create_temporary(const std::optional<struct stat>& replaced) {
    // Private until it gets the permissions of the replaced file.
    const mode_t mode = replaced ? 0600 : 0666;
    temporary_ = place_.make_temporary("file", [&](const char* name) {
      file_ =
          Descriptor(openat(place_.folder(), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      return file_.is_open();
    });
    if (!replaced) return;
    if (const int error = keep_attributes(file_.number(), *replaced)) {
      (void)place_.remove_temporary(temporary_, false);
      fail("setting permissions", error);
    }
  }

  OutputPlace place_;
  Descriptor file_;
  std::string temporary_;  // empty: written in place, or renamed
};

AtomicFile::AtomicFile(const std::string& path, UnfinishedFiles* unfinished)
    : file_(std::make_unique<File>(path, unfinished)) {}
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;
AtomicFile::~AtomicFile() = default;
void AtomicFile::write(std::string_view text) { file_->write(text); }
void AtomicFile::commit() { file_->commit(); }

void write_file_atomically(const std::string& path, std::string_view text,
                           UnfinishedFiles* unfinished) {
  AtomicFile file(path, unfinished);
  file.write(text);
  file.commit();
}

}  // namespace tonnage
