// Callbacks whose failures must be told from those of the work that calls them. Owns: that
// distinction. A backend that fails may be replaced by another; a callback that throws (a full
// disk, a user who interrupts) ends the work whoever does it.
#pragma once

#include <exception>
#include <mutex>
#include <utility>

#include "tonnage/core/progress.hpp"

namespace tonnage {

// Remembers the first exception of the callbacks called through it, from any thread.
class CallbackErrors {
 public:
  // Calls and passes on what the call throws.
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
  // The same callback, watched; this object outlives it. Empty stays empty.
  [[nodiscard]] ProgressCallback watched(const ProgressCallback& progress) {
    if (!progress) return {};
    return [this, &progress](std::string_view phase, std::int64_t done, std::int64_t total) {
      watch([&] { progress(phase, done, total); });
    };
  }
  // Throws the first exception of a callback; returns where there was none. To be asked when all
  // threads have stopped.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

}  // namespace tonnage
