// Temporary file, flush, rename.
#include "tonnage/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <utility>

#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

// A signal is looked at only between two writes to a disk: each takes an instant.
constexpr std::size_t kLargestWrite = 1 << 18;

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw Error(ErrorCode::kIo, "cannot write " + path + ": " + what + ": " + std::strerror(error));
}

// A file open for writing; closed, and removed if it is temporary, unless that was done before.
class OutputFile {
 public:
  // Opens an existing thing for writing.
  explicit OutputFile(const std::string& target)
      : target_(target), descriptor_(open(target.c_str(), O_WRONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(target_, "opening it", errno);
  }
  // Creates a temporary file beside `target`, with the permissions that a new file gets.
  OutputFile(const std::string& target, std::random_device& random, UnfinishedFiles* unfinished)
      : target_(target), unfinished_(unfinished) {
    constexpr int kAttempts = 100;
    int error = EEXIST;
    for (int attempt = 0; attempt < kAttempts && error == EEXIST; ++attempt) {
      temporary_ = target + ".tmp-" + std::to_string(random());
      UnfinishedChange change(unfinished_);
      change.add(temporary_);
      descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      error = descriptor_ < 0 ? errno : 0;
      if (descriptor_ < 0) change.remove(temporary_);
    }
    if (descriptor_ < 0) fail(target_, "creating a temporary file beside it", error);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (temporary_.empty()) return;
    UnfinishedChange change(unfinished_);
    unlink(temporary_.c_str());
    change.remove(temporary_);
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written =
          ::write(descriptor_, text.data(), std::min(text.size(), kLargestWrite));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(target_, "writing", errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void set_mode(mode_t mode) {
    if (fchmod(descriptor_, mode) != 0) fail(target_, "setting permissions", errno);
  }
  void close_flushed() {
    if (fsync(descriptor_) != 0) fail(target_, "flushing to disk", errno);
    close_now();
  }
  void close_now() {
    const int descriptor = std::exchange(descriptor_, -1);
    if (close(descriptor) != 0) fail(target_, "closing", errno);
  }
  void rename_to_target() {
    UnfinishedChange change(unfinished_);
    if (rename(temporary_.c_str(), target_.c_str()) != 0) fail(target_, "renaming onto it", errno);
    change.remove(temporary_);
    temporary_.clear();
  }

 private:
  std::string target_;
  std::string temporary_;
  UnfinishedFiles* unfinished_ = nullptr;
  int descriptor_ = -1;
};

// Makes the rename itself durable. Not every file system can flush a folder, and the file is
// already in place, so a failure here is none of the save.
void flush_folder_of(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)fsync(descriptor);
  close(descriptor);
}

}  // namespace

class AtomicFile::File {
 public:
  File(const std::string& path, UnfinishedFiles* unfinished) {
    std::string target = path;
    std::error_code error;
    if (std::filesystem::is_symlink(path, error)) {
      const auto resolved = std::filesystem::weakly_canonical(path, error);
      if (!error) target = resolved.string();
    }
    struct stat existing {};
    const bool exists = stat(target.c_str(), &existing) == 0;
    renames_ = !exists || S_ISREG(existing.st_mode);
    if (!renames_) {
      output_.emplace(target);
      return;
    }
    std::random_device random;
    output_.emplace(target, random, unfinished);
    if (exists) output_->set_mode(existing.st_mode & 07777);
    target_ = target;
  }
  void write(std::string_view text) { output_->write(text); }
  void commit() {
    if (!renames_) {
      output_->close_now();
      return;
    }
    output_->close_flushed();
    output_->rename_to_target();
    flush_folder_of(target_);
  }

 private:
  std::string target_;
  bool renames_ = true;
  std::optional<OutputFile> output_;
};

AtomicFile::AtomicFile(const std::string& path, UnfinishedFiles* unfinished)
    : file_(std::make_unique<File>(path, unfinished)) {}
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
