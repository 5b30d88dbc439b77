// Work sharing over chunks of an index range. Owns: the thread team and error hand-over.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace tonnage {

// Threads to use: `requested`, or one per processor when it is 0 or less.
inline int team_size(int requested) {
  if (requested > 0) return requested;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// Starts up to `count` threads that run `work`. Where the system has no room for more, those that
// did start have to do.
template <class Work>
void start_threads(std::vector<std::jthread>& threads, int count, const Work& work) {
  try {
    for (int i = 0; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
}

// Calls body(first, last) for consecutive chunks of [0, count) from several threads, the calling
// one included. Chunks are handed out as threads become free, so uneven ones balance. After each
// chunk of its own the calling thread calls report(items done). Fewer threads than asked for, where
// the system limits them, change nothing but the time. The first exception is rethrown
// here once all threads have stopped.
template <class Body, class Report>
void parallel_chunks(std::int64_t count, std::int64_t chunk, int num_threads, const Body& body,
                     const Report& report) {
  std::atomic<std::int64_t> next{0};
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
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
    } catch (...) {
      failed = true;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  };
  const std::int64_t chunks = (count + chunk - 1) / chunk;
  const int team = static_cast<int>(std::min<std::int64_t>(team_size(num_threads), chunks));
  {
    std::vector<std::jthread> others;
    start_threads(others, team - 1, [&] { work(false); });
    work(true);
  }
  if (error) std::rethrow_exception(error);
  report(count);
}

template <class Body>
void parallel_chunks(std::int64_t count, std::int64_t chunk, int num_threads, const Body& body) {
  parallel_chunks(count, chunk, num_threads, body, [](std::int64_t) {});
}

}  // namespace tonnage
