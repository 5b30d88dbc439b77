// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The engine of searches and sizing: per device, a worker with two chunks of lines in flight; the
// host answers the other lines. The kernels are in search_kernels.hpp and line_kernels.hpp.
#include "cuda/src/search/engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "cuda/src/base/threads.hpp"

namespace tonnage::cuda {
namespace {

// State that all workers share.
struct Job {
  Job(const Problem& of, const SearchOptions& with, const EngineLimits& within, SearchResult& into)
      : problem(of), options(with), limits(within), result(into) {}

  const Problem& problem;
  const SearchOptions& options;
  const EngineLimits& limits;
  SearchResult& result;
  // Over the lines for devices: the largest batch ceiling, and the sum of their entries.
  std::int64_t longest = 0;
  std::int64_t entries = 0;

  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  // of everything below and of result's counts
  std::exception_ptr error;
  std::int64_t done = 0;

  [[nodiscard]] bool searches_batches() const { return options.batch == BatchMode::kSearch; }
  // Batch ceiling of a line for devices; 0 for a line of the host.
  [[nodiscard]] std::int64_t ceiling(std::int64_t line) const {
    const ServerRow& server = problem.servers[problem.lines[line].server];
    const PerfRow& perf = problem.perfs[problem.lines[line].perf];
    return needs_search(server, perf) ? batch_ceiling(server, perf) : 0;
  }
  // Servers that a chunk of `most` lines has room for: the most that such chunks span if they start
  // from the first line. A chunk that starts elsewhere may span more, and is cut.
  [[nodiscard]] std::int64_t servers_of_chunk(std::int64_t most) const {
    std::int64_t widest = 0;
    const auto count = std::ssize(problem.lines);
    for (std::int64_t first = 0; first < count; first += most) {
      const std::int64_t last = std::min(first + most, count) - 1;
      widest = std::max<std::int64_t>(widest,
                                      problem.lines[last].server - problem.lines[first].server + 1);
    }
    return widest;
  }
};

// Memory of one chunk in flight, in pinned host memory and on the device.
struct Slot {
  Slot(Device& device, std::int64_t most_lines, std::int64_t most_servers,
       std::int64_t most_entries, bool searches)
      : host_servers(device, MemoryKind::kPinned, most_servers),
        host_lines(device, MemoryKind::kPinned, most_lines),
        host_outcomes(device, MemoryKind::kPinned, most_lines),
        host_begin(device, MemoryKind::kPinned, kLineGroups + 1),
        host_counts(device, MemoryKind::kPinned, searches ? 1 : 0),
        servers(device, MemoryKind::kDevice, most_servers),
        lines(device, MemoryKind::kDevice, most_lines),
        outcomes(device, MemoryKind::kDevice, most_lines),
        keys(device, MemoryKind::kDevice, most_lines),
        order(device, MemoryKind::kDevice, most_lines),
        first_entry(device, MemoryKind::kDevice, most_lines),
        begin(device, MemoryKind::kDevice, kLineGroups + 1),
        inv_mu(device, MemoryKind::kDevice, most_entries + 1),
        searches_on_device(device, MemoryKind::kDevice, searches ? most_lines : 0),
        entries(device, MemoryKind::kDevice, searches ? most_entries : 0),
        counts(device, MemoryKind::kDevice, searches ? 1 : 0),
        arena(device),
        stream(device.make_stream()) {}

  [[nodiscard]] LineOrder line_order() const {
    return {keys.data(), order.data(), first_entry.data(), begin.data()};
  }

  Buffer<ServerRow> host_servers;
  Buffer<LineRow> host_lines;
  Buffer<LineOutcome> host_outcomes;
  Buffer<std::int64_t> host_begin;
  Buffer<SearchCounts> host_counts;
  Buffer<ServerRow> servers;
  Buffer<LineRow> lines;
  Buffer<LineOutcome> outcomes;
  Buffer<std::uint32_t> keys;
  Buffer<std::int32_t> order;
  Buffer<std::int64_t> first_entry;
  Buffer<std::int64_t> begin;
  Buffer<double> inv_mu;
  Buffer<LineSearch> searches_on_device;
  Buffer<std::int32_t> entries;
  Buffer<SearchCounts> counts;
  Arena arena;
  std::unique_ptr<Stream> stream;  // last: it goes before the memory it works on

  std::int64_t first = 0;  // line of the problem
  std::int64_t count = 0;  // 0: nothing in flight
  std::int64_t first_server = 0, num_servers = 0;
};

// One device and the chunks it works on.
class Worker {
 public:
  Worker(Device& device, Job& job) : device_(device), job_(job) {
    device_.bind();
    allocate();
    upload_shared();
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    std::size_t turn = 0;
    while (!job_.failed) {
      const std::int64_t first = job_.next.fetch_add(lines_);
      const auto count = static_cast<std::int64_t>(job_.problem.lines.size());
      if (first >= count) break;
      const std::int64_t last = std::min(first + lines_, count);
      for (std::int64_t from = first; from < last && !job_.failed; turn ^= 1) {
        Slot& slot = *slots_[turn];
        finish(slot);
        prepare(slot, from, last);
        start(slot);
        report(slot.count);
        from += slot.count;
      }
    }
    for (std::optional<Slot>& slot : slots_) finish(*slot);
  }

 private:
  // Allocates two chunks, halving their size until memory suffices.
  void allocate() {
    constexpr std::int64_t kMostLines = std::numeric_limits<std::int32_t>::max();
    lines_ = std::clamp<std::int64_t>(std::min(job_.limits.lines, kMostLines), 1,
                                      std::ssize(job_.problem.lines));
    entries_ = std::min(job_.limits.entries, job_.entries);
    while (true) {
      try {
        entries_ = std::max(entries_, entry_count(job_.longest));
        perfs_ = Buffer<PerfRow>(device_, MemoryKind::kDevice,
                                 static_cast<std::int64_t>(job_.problem.perfs.size()));
        reciprocals_ = Buffer<double>(device_, MemoryKind::kDevice, job_.longest + 1);
        for (std::optional<Slot>& slot : slots_) {
          slot.emplace(device_, lines_, job_.servers_of_chunk(lines_), entries_,
                       job_.searches_batches());
          rehearse(*slot);
        }
        return;
      } catch (const OutOfMemory& error) {
        for (std::optional<Slot>& slot : slots_) slot.reset();
        perfs_ = {};
        reciprocals_ = {};
        if (lines_ == 1) {
          throw Error(ErrorCode::kUnavailable,
                      device_.name() + ": " + error.what() + ", for a single line at a time");
        }
        lines_ /= 2;
        entries_ /= 2;
      }
    }
  }

  // Orders idle lines once, so that a lack of memory shows here or never.
  void rehearse(Slot& slot) {
    const auto clear = [&](const auto& buffer) {
      slot.stream->zero(buffer.data(),
                        static_cast<std::size_t>(buffer.size()) * sizeof(*buffer.data()));
    };
    clear(slot.servers);
    clear(slot.lines);
    clear(slot.outcomes);  // they have padding, which is copied, too
    slot.stream->order(rows_of(slot), slot.line_order(), lines_, slot.arena);
    slot.stream->wait();
  }

  // Uploads what every chunk needs: performance data and the table of 1/n.
  void upload_shared() {
    Stream& stream = *slots_[0]->stream;
    const std::vector<PerfRow>& perfs = job_.problem.perfs;
    const Buffer<PerfRow> staging(device_, MemoryKind::kPinned,
                                  static_cast<std::int64_t>(perfs.size()));
    const WaitAtEnd before_staging_goes(stream);
    std::copy(perfs.begin(), perfs.end(), staging.data());
    stream.to_device(perfs_.data(), staging.data(), perfs.size() * sizeof(PerfRow));
    stream.launch(FillReciprocals{reciprocals_.data()}, reciprocals_.size());
    stream.wait();
  }

  [[nodiscard]] ChunkRows rows_of(const Slot& slot) const {
    return {slot.servers.data(),  slot.first_server,   perfs_.data(),     slot.lines.data(),
            slot.outcomes.data(), reciprocals_.data(), slot.order.data(), slot.first_entry.data(),
            slot.count,           slot.inv_mu.data()};
  }

  // Fills the pinned buffers with lines from `first` on: at least one, and as many as the buffers
  // for entries and servers hold.
  void prepare(Slot& slot, std::int64_t first, std::int64_t last) {
    const Problem& problem = job_.problem;
    slot.first_server = problem.lines[first].server;
    const std::int64_t servers_end = slot.first_server + slot.host_servers.size();
    std::int64_t entries = 0, until = first;
    for (; until < last && problem.lines[until].server < servers_end; ++until) {
      entries += entry_count(job_.ceiling(until));
      if (entries > entries_) break;
    }
    slot.first = first;
    slot.count = until - first;
    std::copy_n(problem.lines.begin() + first, slot.count, slot.host_lines.data());
    slot.num_servers = problem.lines[until - 1].server - slot.first_server + 1;
    std::copy_n(problem.servers.begin() + slot.first_server, slot.num_servers,
                slot.host_servers.data());
  }

  void start(Slot& slot) {
    Stream& stream = *slot.stream;
    const auto upload = [&](const auto& device, const auto& host, std::int64_t items) {
      stream.to_device(device.data(), host.data(),
                       static_cast<std::size_t>(items) * sizeof(*host.data()));
    };
    upload(slot.servers, slot.host_servers, slot.num_servers);
    upload(slot.lines, slot.host_lines, slot.count);
    ChunkRows rows = rows_of(slot);
    stream.order(rows, slot.line_order(), slot.count, slot.arena);
    stream.to_host(slot.host_begin.data(), slot.begin.data(),
                   static_cast<std::size_t>(slot.begin.size()) * sizeof(std::int64_t));
    // The other chunk keeps the device busy until the groups are known.
    stream.wait();
    const auto begin = [&](LineKind kind) { return slot.host_begin[first_group(kind)]; };
    const std::int64_t count = slot.host_begin[kLineGroups];  // the rest is for the host
    rows.first_stepped = begin(LineKind::kStepped);
    const auto launch_over = [&](auto kernel, std::int64_t first, std::int64_t last) {
      kernel.first = first;
      stream.launch(kernel, last - first);
    };
    stream.launch(FillInverseMu{rows}, count - begin(LineKind::kStepped));
    stream.launch(SizePlainLines{rows}, begin(LineKind::kUneven));
    launch_over(SizeUnevenLines{rows, 0}, begin(LineKind::kUneven), begin(LineKind::kPercentile));
    launch_over(SizePercentileLines{rows, 0}, begin(LineKind::kPercentile),
                begin(LineKind::kStepped));
    launch_over(SizeUnevenLines{rows, 0}, begin(LineKind::kStepped),
                begin(LineKind::kSteppedPercentile));
    launch_over(SizePercentileLines{rows, 0}, begin(LineKind::kSteppedPercentile), count);
    if (job_.searches_batches()) {
      stream.zero(slot.counts.data(), sizeof(SearchCounts));
      const SearchRows all{rows, slot.searches_on_device.data(), slot.entries.data(),
                           slot.counts.data(), job_.options.exhaustive};
      stream.launch(StartSearches{all}, count);
      for (int round = 0; round < kSearchRounds; ++round) {
        for (int group = 0; group < kLineGroups; ++group) {
          const std::int64_t first = slot.host_begin[group];
          stream.launch(sweep_of_group(group, all, first), slot.host_begin[group + 1] - first);
        }
        stream.launch(SettleFirst{all}, count);
        stream.launch(SettleLines{all}, count);
      }
      stream.to_host(slot.host_counts.data(), slot.counts.data(), sizeof(SearchCounts));
    }
    stream.to_host(slot.host_outcomes.data(), slot.outcomes.data(),
                   static_cast<std::size_t>(slot.count) * sizeof(LineOutcome));
  }

  // Waits for the chunk in flight and takes its answers, except those of lines for the host.
  void finish(Slot& slot) {
    if (slot.count == 0) return;
    slot.stream->wait();
    std::copy_n(slot.host_outcomes.data(), slot.count, job_.result.lines.begin() + slot.first);
    slot.count = 0;
    if (!job_.searches_batches()) return;
    const std::lock_guard lock(job_.mutex);
    job_.result.candidates_swept += slot.host_counts[0].candidates;
    job_.result.candidates_passed += slot.host_counts[0].passed;
    job_.result.batches_sized += slot.host_counts[0].sized;
  }

  void report(std::int64_t lines) {
    const std::lock_guard lock(job_.mutex);
    job_.done += lines;
    if (job_.options.progress) {
      job_.options.progress(job_.searches_batches() ? "batch sizes" : "sizing", job_.done,
                            static_cast<std::int64_t>(job_.problem.lines.size()));
    }
  }

  Device& device_;
  Job& job_;
  std::int64_t lines_ = 0;
  std::int64_t entries_ = 0;
  Buffer<PerfRow> perfs_;
  Buffer<double> reciprocals_;
  std::array<std::optional<Slot>, 2> slots_;
};

void work(Device& device, Job& job) {
  try {
    Worker(device, job).run();
  } catch (...) {
    job.failed = true;
    const std::lock_guard lock(job.mutex);
    if (!job.error) job.error = std::current_exception();
  }
}

// The lines for which is_left(index) holds, answered by the host.
struct HostLines {
  std::vector<std::int64_t> lines;
  SearchResult found;
};
template <class IsLeft>
HostLines answer_on_host(const Evaluator& host, const Job& job, const ProgressCallback& progress,
                         const IsLeft& is_left) {
  HostLines answered;
  Problem rest;
  for (std::int64_t i = 0; i < std::ssize(job.problem.lines); ++i) {
    if (!is_left(i)) continue;
    rest.lines.push_back(job.problem.lines[i]);
    answered.lines.push_back(i);
  }
  if (rest.lines.empty()) return answered;
  rest.servers = job.problem.servers;
  rest.perfs = job.problem.perfs;
  SearchOptions options = job.options;
  options.progress = progress;
  answered.found = host.search(rest, options);
  return answered;
}

void take_over(const HostLines& answered, SearchResult& result) {
  for (std::size_t i = 0; i < answered.lines.size(); ++i) {
    result.lines[answered.lines[i]] = answered.found.lines[i];
  }
  result.candidates_swept += answered.found.candidates_swept;
  result.candidates_passed += answered.found.candidates_passed;
  result.batches_sized += answered.found.batches_sized;
}

}  // namespace

SearchResult search_on_devices(const std::vector<std::unique_ptr<Device>>& devices,
                               const Evaluator& host, const Problem& problem,
                               const SearchOptions& options, const EngineLimits& limits) {
  SearchResult result;
  const std::size_t count = problem.lines.size();
  result.lines.resize(count);
  Job job(problem, options, limits, result);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t ceiling = job.ceiling(static_cast<std::int64_t>(i));
    job.longest = std::max(job.longest, ceiling);
    job.entries += entry_count(ceiling);
  }
  HostLines answered;
  {
    std::vector<std::jthread> threads;
    try {
      for (const auto& device : devices) {
        if (job.longest > 0) start_thread(threads, *device, [&] { work(*device, job); });
      }
      answered =
          answer_on_host(host, job, {}, [&](std::int64_t i) { return job.ceiling(i) == 0; });
    } catch (...) {
      job.failed = true;
      throw;  // once the threads have ended
    }
  }
  if (job.error) std::rethrow_exception(job.error);
  take_over(answered, result);
  const auto is_left = [&](std::int64_t i) { return result.lines[i].num_replicas == kLeftToHost; };
  take_over(answer_on_host(host, job, options.progress, is_left), result);
  return result;
}

}  // namespace tonnage::cuda
