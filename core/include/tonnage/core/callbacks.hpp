// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Tells exceptions of callbacks from exceptions of the work that calls them. Owns: that
// distinction. A backend that fails may be replaced by another one; a callback that throws (full
// disk, interruption by the user) ends the work on every backend.
#pragma once

#include <exception>
#include <mutex>
#include <utility>

#include "tonnage/core/progress.hpp"

namespace tonnage {

// Remembers the first exception of the callbacks called through it, from any thread.
class CallbackErrors {
 public:
  // Calls `call`, remembers its exception and rethrows it.
  template <class Call>
  void watch(const Call& call) {
    try {
      call();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
      throw;
    }
  }
  // Wraps a callback; this object must outlive the result. An empty callback stays empty.
  [[nodiscard]] ProgressCallback watched(const ProgressCallback& progress) {
    if (!progress) return {};
    return [this, &progress](std::string_view phase, std::int64_t done, std::int64_t total) {
      watch([&] { progress(phase, done, total); });
    };
  }
  // Rethrows the first exception of a callback, if there was one. Call it after all threads have
  // stopped.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

}  // namespace tonnage
