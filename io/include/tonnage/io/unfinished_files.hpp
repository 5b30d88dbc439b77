// Who is told of the files and folders that a save has under way. Owns: the interface; what is done
// with the names is the caller's.
#pragma once

#include <string>

namespace tonnage {

// Lets a program that is ended from outside (by a signal) remove what its saves have not finished.
// Names are those of temporary files, and of temporary folders and the files inside. Calls come
// from the threads that save.
class UnfinishedFiles {
 public:
  virtual ~UnfinishedFiles() = default;

  // The file system is changed, and the change told by add() or remove(), only between these two:
  // outside of them no temporary file is without its name, and no name is another's. (A name may be
  // without its file: removing what is large takes time.) Pairs of one thread do not nest.
  virtual void begin_change() noexcept = 0;
  virtual void end_change() noexcept = 0;

  // `path` is about to come into being. May throw std::bad_alloc.
  virtual void add(const std::string& path) = 0;
  // `path` did not come into being, is gone or has taken its final name, with all that is inside.
  virtual void remove(const std::string& path) noexcept = 0;
};

// One change: begins and ends it in its scope. Does nothing where nobody is to be told.
class UnfinishedChange {
 public:
  explicit UnfinishedChange(UnfinishedFiles* files) : files_(files) {
    if (files_ != nullptr) files_->begin_change();
  }
  ~UnfinishedChange() {
    if (files_ != nullptr) files_->end_change();
  }
  UnfinishedChange(const UnfinishedChange&) = delete;
  UnfinishedChange& operator=(const UnfinishedChange&) = delete;

  void add(const std::string& path) {
    if (files_ != nullptr) files_->add(path);
  }
  void remove(const std::string& path) noexcept {
    if (files_ != nullptr) files_->remove(path);
  }

 private:
  UnfinishedFiles* files_;
};

}  // namespace tonnage
