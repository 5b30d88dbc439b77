#include "engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace tonnage::cuda {
namespace {

// Batch ceilings are sorted by value up to here; longer lines are few.
constexpr std::int64_t kSortedCeilings = 1024;

struct Range {
  std::int64_t first;
  std::int64_t last;
};

// What all workers share.
struct Job {
  Job(const Problem& of, const SearchOptions& with, const EngineLimits& within, SearchResult& into)
      : problem(of), options(with), limits(within), result(into) {}

  const Problem& problem;
  const SearchOptions& options;
  const EngineLimits& limits;
  SearchResult& result;
  std::vector<std::int8_t> groups;  // of all lines
  // Of the lines for the devices: batch ceilings, the largest one, entries they take, and those of
  // them of lines whose chunk counts grow.
  std::vector<std::int64_t> ceilings;
  std::int64_t longest = 0;
  std::int64_t entries = 0;
  std::int64_t stepped_entries = 0;

  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  // of everything below and of result's counts
  std::exception_ptr error;
  std::int64_t done = 0;

  [[nodiscard]] bool searches_batches() const { return options.batch == BatchMode::kSearch; }
};

// Memory of one chunk in flight, in pinned host memory and on the device.
struct Slot {
  Slot(Device& device, std::int64_t lines, std::int64_t most_entries, std::int64_t most_stepped,
       bool searches)
      : host_servers(device, MemoryKind::kPinned, lines),
        host_lines(device, MemoryKind::kPinned, lines),
        host_outcomes(device, MemoryKind::kPinned, lines),
        host_first(device, MemoryKind::kPinned, lines),
        host_counts(device, MemoryKind::kPinned, searches ? 1 : 0),
        servers(device, MemoryKind::kDevice, lines),
        lines_on_device(device, MemoryKind::kDevice, lines),
        outcomes(device, MemoryKind::kDevice, lines),
        searches_on_device(device, MemoryKind::kDevice, searches ? lines : 0),
        first_entry(device, MemoryKind::kDevice, lines),
        inv_mu(device, MemoryKind::kDevice, most_stepped + 1),
        entries(device, MemoryKind::kDevice, searches ? most_entries : 0),
        counts(device, MemoryKind::kDevice, searches ? 1 : 0),
        stream(device.make_stream()) {}

  Buffer<ServerRow> host_servers;
  Buffer<LineRow> host_lines;
  Buffer<LineOutcome> host_outcomes;
  Buffer<std::int64_t> host_first;
  Buffer<SearchCounts> host_counts;
  Buffer<ServerRow> servers;
  Buffer<LineRow> lines_on_device;
  Buffer<LineOutcome> outcomes;
  Buffer<LineSearch> searches_on_device;
  Buffer<std::int64_t> first_entry;
  Buffer<double> inv_mu;
  Buffer<std::int32_t> entries;
  Buffer<SearchCounts> counts;
  std::unique_ptr<Stream> stream;  // last: it goes before the memory it works on

  std::vector<std::int64_t> order;                    // lines of the chunk, in the device's order
  std::array<std::int64_t, kLineGroups + 1> begin{};  // where each group of them begins
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
        const std::int64_t until = prepare(slot, from, last);
        start(slot);
        report(until - from);
        from = until;
      }
    }
    for (std::optional<Slot>& slot : slots_) finish(*slot);
  }

 private:
  // Takes memory for two chunks, smaller ones until it suffices.
  void allocate() {
    lines_ = std::min(job_.limits.lines, static_cast<std::int64_t>(job_.problem.lines.size()));
    entries_ = std::min(job_.limits.entries, job_.entries);
    while (true) {
      try {
        entries_ = std::max(entries_, entry_count(job_.longest));
        perfs_ = Buffer<PerfRow>(device_, MemoryKind::kDevice,
                                 static_cast<std::int64_t>(job_.problem.perfs.size()));
        reciprocals_ = Buffer<double>(device_, MemoryKind::kDevice, job_.longest + 1);
        for (std::optional<Slot>& slot : slots_) {
          slot.emplace(device_, lines_, entries_, std::min(entries_, job_.stepped_entries),
                       job_.searches_batches());
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

  // What every chunk needs: performance data and the table of 1/n.
  void upload_shared() {
    Stream& stream = *slots_[0]->stream;
    const std::vector<PerfRow>& perfs = job_.problem.perfs;
    const Buffer<PerfRow> staging(device_, MemoryKind::kPinned,
                                  static_cast<std::int64_t>(perfs.size()));
    std::copy(perfs.begin(), perfs.end(), staging.data());
    stream.to_device(perfs_.data(), staging.data(), perfs.size() * sizeof(PerfRow));
    stream.launch(FillReciprocals{reciprocals_.data()}, reciprocals_.size());
    // Outcomes have padding, which is copied, too.
    for (const std::optional<Slot>& slot : slots_) {
      stream.zero(slot->outcomes.data(),
                  static_cast<std::size_t>(slot->outcomes.size()) * sizeof(LineOutcome));
    }
    stream.wait();
  }

  // Fills the pinned buffers with lines from `first` on, as many as the entries allow, and answers
  // how far it came.
  std::int64_t prepare(Slot& slot, std::int64_t first, std::int64_t last) {
    const Problem& problem = job_.problem;
    std::int64_t entries = 0, until = first;
    for (; until < last; ++until) {
      if (job_.groups[until] == kHostLine) continue;
      entries += entry_count(job_.ceilings[until]);
      if (entries > entries_) break;
    }
    // Longest lines first, group by group: by counting, which keeps equal ones in order.
    slot.begin.fill(0);
    std::vector<std::int64_t> begin(kLineGroups * kSortedCeilings, 0);
    const auto bucket_of = [&](std::int64_t line) -> std::int64_t& {
      const std::int64_t ceiling = std::min(job_.ceilings[line], kSortedCeilings);
      return begin[job_.groups[line] * kSortedCeilings + kSortedCeilings - ceiling];
    };
    for (std::int64_t i = first; i < until; ++i) {
      if (job_.groups[i] != kHostLine) ++bucket_of(i);
    }
    std::int64_t position = 0;
    for (std::int64_t bucket = 0; bucket < std::ssize(begin); ++bucket) {
      if (bucket % kSortedCeilings == 0) slot.begin[bucket / kSortedCeilings] = position;
      position += std::exchange(begin[bucket], position);
    }
    slot.begin[kLineGroups] = position;
    slot.order.resize(static_cast<std::size_t>(position));
    for (std::int64_t i = first; i < until; ++i) {
      if (job_.groups[i] != kHostLine) slot.order[bucket_of(i)++] = i;
    }
    const std::int32_t first_server = problem.lines[first].server;
    servers_ = problem.lines[until - 1].server - first_server + 1;
    std::copy_n(problem.servers.begin() + first_server, servers_, slot.host_servers.data());
    std::int64_t entry = 0;
    for (std::int64_t i = 0; i < position; ++i) {
      const LineRow& line = problem.lines[slot.order[i]];
      slot.host_lines[i] = {line.server - first_server, line.perf};
      slot.host_first[i] = entry;
      entry += entry_count(job_.ceilings[slot.order[i]]);
    }
    return until;
  }

  void start(Slot& slot) {
    const auto count = static_cast<std::int64_t>(slot.order.size());
    if (count == 0) return;
    Stream& stream = *slot.stream;
    const auto upload = [&](const auto& device, const auto& host, std::int64_t items) {
      stream.to_device(device.data(), host.data(),
                       static_cast<std::size_t>(items) * sizeof(*host.data()));
    };
    upload(slot.servers, slot.host_servers, servers_);
    upload(slot.lines_on_device, slot.host_lines, count);
    upload(slot.first_entry, slot.host_first, count);
    const auto begin = [&](LineKind kind) { return slot.begin[first_group(kind)]; };
    const ChunkRows rows{slot.servers.data(),         perfs_.data(),
                         slot.lines_on_device.data(), reciprocals_.data(),
                         slot.outcomes.data(),        slot.first_entry.data(),
                         begin(LineKind::kStepped),   slot.inv_mu.data()};
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
          const std::int64_t first = slot.begin[group];
          stream.launch(sweep_of_group(group, all, first), slot.begin[group + 1] - first);
        }
        stream.launch(SettleFirst{all}, count);
        stream.launch(SettleLines{all}, count);
      }
      stream.to_host(slot.host_counts.data(), slot.counts.data(), sizeof(SearchCounts));
    }
    stream.to_host(slot.host_outcomes.data(), slot.outcomes.data(),
                   static_cast<std::size_t>(count) * sizeof(LineOutcome));
  }

  // Waits for the chunk in flight and takes its answers.
  void finish(Slot& slot) {
    if (slot.order.empty()) return;
    slot.stream->wait();
    for (std::size_t i = 0; i < slot.order.size(); ++i) {
      job_.result.lines[slot.order[i]] = slot.host_outcomes[static_cast<std::int64_t>(i)];
    }
    slot.order.clear();
    if (!job_.searches_batches()) return;
    const std::lock_guard lock(job_.mutex);
    job_.result.candidates_swept += slot.host_counts[0].candidates;
    job_.result.candidates_passed += slot.host_counts[0].passed;
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
  std::int64_t servers_ = 0;  // of the chunk being prepared
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

// Lines that no device answers, as a problem of their own.
void answer_on_host(const Evaluator& host, Job& job) {
  Problem rest;
  std::vector<std::int64_t> position;
  for (std::size_t i = 0; i < job.groups.size(); ++i) {
    if (job.groups[i] != kHostLine) continue;
    rest.lines.push_back(job.problem.lines[i]);
    position.push_back(static_cast<std::int64_t>(i));
  }
  if (rest.lines.empty()) return;
  rest.servers = job.problem.servers;
  rest.perfs = job.problem.perfs;
  SearchOptions options = job.options;
  options.progress = {};
  const SearchResult found = host.search(rest, options);
  for (std::size_t i = 0; i < position.size(); ++i) job.result.lines[position[i]] = found.lines[i];
  const std::lock_guard lock(job.mutex);
  job.result.candidates_swept += found.candidates_swept;
  job.result.candidates_passed += found.candidates_passed;
}

}  // namespace

SearchResult search_on_devices(const std::vector<std::unique_ptr<Device>>& devices,
                               const Evaluator& host, const Problem& problem,
                               const SearchOptions& options, const EngineLimits& limits) {
  SearchResult result;
  const std::size_t count = problem.lines.size();
  result.lines.resize(count);
  Job job(problem, options, limits, result);
  job.groups.resize(count);
  job.ceilings.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const ServerRow& server = problem.servers[problem.lines[i].server];
    const PerfRow& perf = problem.perfs[problem.lines[i].perf];
    job.groups[i] = line_group(server, perf);
    if (job.groups[i] == kHostLine) continue;
    job.ceilings[i] = batch_ceiling(server, perf);
    job.longest = std::max(job.longest, job.ceilings[i]);
    job.entries += entry_count(job.ceilings[i]);
    if (job.groups[i] >= first_group(LineKind::kStepped)) {
      job.stepped_entries += entry_count(job.ceilings[i]);
    }
  }
  std::vector<std::jthread> threads;
  if (job.longest > 0) {
    for (const auto& device : devices) threads.emplace_back([&] { work(*device, job); });
  }
  try {
    answer_on_host(host, job);
  } catch (...) {
    job.failed = true;
    for (std::jthread& thread : threads) thread.join();
    throw;
  }
  for (std::jthread& thread : threads) thread.join();
  if (job.error) std::rethrow_exception(job.error);
  return result;
}

}  // namespace tonnage::cuda
