// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Work sharing over chunks of an index range. Owns: the thread team, the passing on of errors, and
// the reporting of progress from worker threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "tonnage/core/progress.hpp"

namespace tonnage {

// The number of threads: `requested`, or one per processor if it is 0 or less.
inline int team_size(int requested) {
  if (requested > 0) return requested;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// Starts up to `count` threads that run `work`, or fewer where the system has no room for more.
template <class Work>
void start_threads(std::vector<std::jthread>& threads, int count, const Work& work) {
  try {
    for (int i = 0; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
}

// Thrown to end a body after other work has failed.
struct Abandoned {};

// Counts work done by several threads and reports it to a callback on the thread that made the
// meter.
class WorkMeter {
 public:
  WorkMeter(const ProgressCallback& progress, std::string_view phase, std::int64_t total)
      : progress_(progress), phase_(phase), total_(total) {}

  // Adds finished work. Any thread.
  void add(std::int64_t amount) {
    done_ += amount;
    check();
  }
  // Call now and then during long work, on any thread. Throws what the callback throws; on other
  // threads throws Abandoned once it has thrown.
  void check() {
    if (std::this_thread::get_id() != owner_) {
      if (stopped_) throw Abandoned{};
      return;
    }
    if (!progress_ || total_ <= 0) return;
    try {
      // The end is reported once.
      progress_(phase_, std::min(done_.load(), total_ - 1), total_);
    } catch (...) {
      stopped_ = true;
      throw;
    }
  }
  // Call after all threads have ended.
  void finish() const {
    if (progress_) progress_(phase_, total_, total_);
  }

 private:
  const ProgressCallback& progress_;
  std::string_view phase_;
  std::int64_t total_;
  std::atomic<std::int64_t> done_{0};
  std::atomic<bool> stopped_{false};
  std::thread::id owner_ = std::this_thread::get_id();
};

// Items that a thread takes at once: at most `most`, and few enough that all threads get some.
inline std::int64_t fair_chunk(std::int64_t count, std::int64_t most, int num_threads) {
  constexpr std::int64_t kTurns = 8;
  return std::clamp<std::int64_t>(count / (kTurns * team_size(num_threads)), 1, most);
}

// Calls body(first, last) for consecutive chunks of [0, count) from several threads, the calling
// one included. Threads take chunks as they become free, so uneven chunks balance. The calling
// thread calls report(items done) after each of its own chunks and now and then while it waits.
// Fewer threads than requested change only the time. The first exception is rethrown after all
// threads have stopped.
template <class Body, class Report>
void parallel_chunks(std::int64_t count, std::int64_t chunk, int num_threads, const Body& body,
                     const Report& report) {
  std::atomic<std::int64_t> next{0};
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto fail = [&] {
    failed = true;
    const std::lock_guard lock(error_mutex);
    if (!error) error = std::current_exception();
  };
  const auto work = [&](bool reports) {
    try {
      while (!failed.load(std::memory_order_relaxed)) {
        const std::int64_t first = next.fetch_add(chunk);
        if (first >= count) break;
        const std::int64_t last = std::min(first + chunk, count);
        body(first, last);
        const std::int64_t so_far = done.fetch_add(last - first) + (last - first);
        if (reports) report(so_far);
      }
    } catch (const Abandoned&) {
      failed = true;  // reported where it was thrown
    } catch (...) {
      fail();
    }
  };
  const std::int64_t chunks = (count + chunk - 1) / chunk;
  const int team = static_cast<int>(std::min<std::int64_t>(team_size(num_threads), chunks));
  {
    std::mutex mutex;
    std::condition_variable one_ended;
    std::size_t ended = 0;
    std::vector<std::jthread> others;
    start_threads(others, team - 1, [&] {
      work(false);
      const std::lock_guard lock(mutex);
      ++ended;
      one_ended.notify_one();
    });
    work(true);
    std::unique_lock lock(mutex);
    const auto all_ended = [&] { return ended == others.size(); };
    while (!one_ended.wait_for(lock, std::chrono::milliseconds(50), all_ended)) {
      lock.unlock();
      try {
        if (!failed.load(std::memory_order_relaxed)) report(done.load());
      } catch (...) {
        fail();
      }
      lock.lock();
    }
  }
  if (error) std::rethrow_exception(error);
  report(count);
}

template <class Body>
void parallel_chunks(std::int64_t count, std::int64_t chunk, int num_threads, const Body& body) {
  parallel_chunks(count, chunk, num_threads, body, [](std::int64_t) {});
}

}  // namespace tonnage
