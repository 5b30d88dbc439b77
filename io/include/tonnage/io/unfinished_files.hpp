// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Observer of the temporary files and folders of a save. Owns: the interface; what is done with the
// names is up to its implementation.
#pragma once

#include <string>

namespace tonnage {

// Lets a program that a signal ends remove its unfinished saves. Names are those of temporary
// files, temporary folders and the files inside. Calls come from the threads that save.
class UnfinishedFiles {
 public:
  virtual ~UnfinishedFiles() = default;

  // begin_change() and end_change() enclose every change of the file system and the add() or
  // remove() that reports it. Outside such pairs every temporary file has been reported, and every
  // reported name is a temporary one. (A reported file may be gone already: removing a large one
  // takes time.) Pairs of one thread do not nest.
  virtual void begin_change() noexcept = 0;
  virtual void end_change() noexcept = 0;

  // `path` is about to be created. May throw std::bad_alloc.
  virtual void add(const std::string& path) = 0;
  // `path` was not created, is gone or has got its final name, with everything inside it.
  virtual void remove(const std::string& path) noexcept = 0;
};

// One change, for the lifetime of this object. Does nothing without an observer.
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
