// A folder written under another name, then renamed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "tonnage/core/error.hpp"
#include "tonnage/io/atomic_file.hpp"

namespace tonnage {
namespace {

namespace fs = std::filesystem;

// A signal is looked at only between two writes to a disk: each takes an instant.
constexpr std::size_t kLargestWrite = 1 << 18;

[[noreturn]] void fail(const std::string& path, const std::string& what, const std::string& why) {
  throw Error(ErrorCode::kIo, "cannot write " + path + ": " + what + ": " + why);
}

}  // namespace

AtomicFolder::AtomicFolder(const std::string& path, const std::string& mark,
                           UnfinishedFiles* unfinished)
    : target_(path), mark_(mark), unfinished_(unfinished) {
  while (target_.size() > 1 && target_.back() == '/') target_.pop_back();
  std::error_code error;
  if (fs::exists(target_, error)) {
    const bool ours =
        fs::is_directory(target_, error) &&
        (fs::is_empty(target_, error) || fs::exists(fs::path(target_) / mark_, error));
    if (!ours) {
      throw Error(ErrorCode::kInvalidInput, target_ + " exists and is not a folder with " + mark_ +
                                                ": name a folder that is new");
    }
  }
  std::random_device random;
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::string name = target_ + ".tmp-" + std::to_string(random());
    UnfinishedChange change(unfinished_);
    change.add(name);
    if (mkdir(name.c_str(), 0777) == 0) {
      temporary_ = name;
      return;
    }
    const int why = errno;
    change.remove(name);
    if (why != EEXIST || attempt + 1 == kAttempts) {
      fail(target_, "creating a temporary folder beside it", std::strerror(why));
    }
  }
}

AtomicFolder::~AtomicFolder() {
  for (const int descriptor : descriptors_) close(descriptor);
  if (!temporary_.empty()) discard(temporary_);
}

void AtomicFolder::discard(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  UnfinishedChange change(unfinished_);
  change.remove(folder);
}

int AtomicFolder::add(const std::string& name) {
  const std::string path = temporary_ + "/" + name;
  UnfinishedChange change(unfinished_);
  change.add(path);
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    const int error = errno;
    change.remove(path);
    fail(target_ + "/" + name, "creating it", std::strerror(error));
  }
  descriptors_.push_back(descriptor);
  names_.push_back(name);
  return static_cast<int>(descriptors_.size()) - 1;
}

void AtomicFolder::write_at(int file, std::int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(descriptors_[file], bytes.data(), std::min(bytes.size(), kLargestWrite), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target_ + "/" + names_[file], "writing", std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
}

std::int64_t AtomicFolder::free_bytes() const {
  std::error_code error;
  const fs::space_info space = fs::space(temporary_, error);
  return error ? -1 : static_cast<std::int64_t>(space.available);
}

void AtomicFolder::commit() {
  while (!descriptors_.empty()) {
    const int descriptor = descriptors_.back();
    descriptors_.pop_back();
    const bool flushed = fsync(descriptor) == 0;
    const bool closed = close(descriptor) == 0;
    if (!flushed || !closed) fail(target_, "flushing to disk", std::strerror(errno));
  }
  const std::string old = take_name();
  if (!old.empty()) discard(old);
}

std::string AtomicFolder::take_name() {
  UnfinishedChange change(unfinished_);
  // A folder that is not empty cannot be renamed over: the old one steps aside first.
  std::error_code error;
  std::string old;
  if (fs::exists(target_, error)) {
    old = temporary_ + "-old";
    change.add(old);
    for (const fs::directory_entry& entry : fs::directory_iterator(target_, error)) {
      change.add(old + "/" + entry.path().filename().string());
    }
    if (rename(target_.c_str(), old.c_str()) != 0) {
      const std::string why = std::strerror(errno);
      change.remove(old);
      fail(target_, "moving the old one aside", why);
    }
  }
  if (rename(temporary_.c_str(), target_.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    if (!old.empty() && rename(old.c_str(), target_.c_str()) == 0) change.remove(old);
    fail(target_, "renaming onto it", why);
  }
  change.remove(temporary_);
  temporary_.clear();
  return old;
}

}  // namespace tonnage
