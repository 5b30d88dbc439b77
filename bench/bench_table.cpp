// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The table of candidates: nine metrics of every candidate, kept. Lines follow each other through a
// buffer far larger than the caches, so the limit is the bandwidth of memory: 72 bytes a candidate
// written. `zero` fills the same layout with zeros; share_of_bandwidth_limit holds a table against
// that, measured just before. operations_per_candidate is counted, share_of_arithmetic_limit as for
// the sweep. `table-in-cache` writes each line to the same place, which is what streaming to a file
// does.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "counted_lane.hpp"
#include "direct_sum.hpp"
#include "host/evaluate/simd/kernels.hpp"
#include "limits.hpp"
#include "sample_line.hpp"

namespace tonnage::bench {
namespace {

constexpr int kColumns = 9;
constexpr GridColumn kKept[kColumns] = {
    GridColumn::kCost,    GridColumn::kGoodput, GridColumn::kDrop,
    GridColumn::kItl,     GridColumn::kTtft,    GridColumn::kWait,
    GridColumn::kPrefill, GridColumn::kRho,     GridColumn::kPower};
constexpr std::int64_t kBufferBytes = std::int64_t{1} << 28;

// A line, the chains of its replica counts and columns for several lines.
class SampleTable {
 public:
  SampleTable(const benchmark::State& state, bool beyond_caches)
      : line_(state.range(0), state.range(2)),
        batches_(state.range(0)),
        replicas_(state.range(1)),
        lines_(beyond_caches ? std::max<std::int64_t>(1, kBufferBytes / (candidates() * 72)) : 1),
        stride_(candidates() * lines_ + kColumnStagger),
        storage_(static_cast<std::size_t>(kColumns * stride_)) {
    table_ = {line_.total_rate_per_ms,
              line_.shape.service.alpha_ms,
              line_.shape.service.out_tokens,
              line_.shape.max_queue,
              1.0,
              300.0,
              {0.6, 100, 400, 340, 900}};
  }

  [[nodiscard]] std::int64_t candidates() const { return batches_ * replicas_; }
  [[nodiscard]] std::int64_t lines() const { return lines_; }

  void fill(const Kernels& kernels, std::int64_t place) {
    TableChains chains = chain_store_.start(replicas_, line_.total_rate_per_ms,
                                            [](std::int64_t i) { return i + 1; });
    TableRows rows{};
    for (int c = 0; c < kColumns; ++c) {
      rows.column[static_cast<int>(kKept[c])] = column(c) + place * candidates();
    }
    if (kernels.fill_table(line_.line, table_, chains, 1, 1, batches_, rows) != batches_) {
      std::abort();
    }
  }

  void zero(std::int64_t place) {
    for (int c = 0; c < kColumns; ++c) {
      std::memset(column(c) + place * candidates(), 0,
                  static_cast<std::size_t>(candidates()) * sizeof(double));
    }
    benchmark::ClobberMemory();
  }

  // Rate at which the same places are filled with zeros.
  [[nodiscard]] double zeros_per_second() {
    double best = 0;
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      for (std::int64_t place = 0; place < lines_; ++place) zero(place);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      best = std::max(best, static_cast<double>(candidates() * lines_) / taken.count());
    }
    return best;
  }

  [[nodiscard]] double operations() const { return table_operations(table_); }

  // Every seventh batch size against direct summation of each candidate.
  [[nodiscard]] bool agrees() {
    const std::vector<double> mu = departure_rates(line_.shape);
    for (std::int64_t m = 1; m <= batches_; m += 7) {
      for (std::int64_t r = 1; r <= replicas_; r += 5) {
        const double rate = line_.total_rate_per_ms / static_cast<double>(r);
        const DirectMetrics want =
            direct_sum(line_.shape.service, mu, m, line_.shape.max_queue, rate);
        const auto at = static_cast<std::size_t>((m - 1) * replicas_ + r - 1);
        if (std::fabs(column(3)[at] / want.itl_ms - 1) > 1e-9) return false;
        if (std::fabs(column(4)[at] / want.ttft_ms - 1) > 1e-9) return false;
      }
    }
    return true;
  }

 private:
  [[nodiscard]] double* column(int c) { return storage_.data() + c * stride_; }
  SampleLine line_;
  std::int64_t batches_, replicas_;
  ChainStore chain_store_;
  std::int64_t lines_;
  std::int64_t stride_;
  std::vector<double> storage_;
  TableLine table_{};
};

void report(benchmark::State& state, const SampleTable& t) {
  const double total =
      static_cast<double>(t.candidates() * t.lines()) * static_cast<double>(state.iterations());
  state.counters["candidates_per_second"] = benchmark::Counter(total, benchmark::Counter::kIsRate);
  state.counters["bytes_per_candidate"] = kColumns * sizeof(double);
}

void report_share(benchmark::State& state, const SampleTable& t, const char* name, double limit) {
  const double total =
      static_cast<double>(t.candidates() * t.lines()) * static_cast<double>(state.iterations());
  if (limit > 0) {
    state.counters[name] = benchmark::Counter(total / limit, benchmark::Counter::kIsRate);
  }
}

void table(benchmark::State& state, InstructionSet isa, bool beyond_caches) {
  SampleTable t(state, beyond_caches);
  const Kernels& kernels = kernels_of(isa);
  for (std::int64_t i = 0; i < t.lines(); ++i) t.fill(kernels, i);
  if (!t.agrees()) {
    state.SkipWithError("answers differ from direct summation");
    return;
  }
  const double zeros = t.zeros_per_second();
  const double peak = peak_operations_per_second(isa);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < t.lines(); ++i) t.fill(kernels, i);
    benchmark::ClobberMemory();
  }
  report(state, t);
  state.counters["operations_per_candidate"] = t.operations();
  report_share(state, t, "share_of_bandwidth_limit", zeros);
  report_share(state, t, "share_of_arithmetic_limit", peak / t.operations());
}

void zero(benchmark::State& state) {
  SampleTable t(state, true);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < t.lines(); ++i) t.zero(i);
  }
  report(state, t);
}

void register_table() {
  const auto axes = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"M", "R", "Q"})->Threads(1);
    for (const std::int64_t q : {0, 16, 128, 256}) {
      for (const std::int64_t m : {16, 64, 256, 1024}) b->Args({m, 64, q});
    }
    for (const std::int64_t r : {1, 4, 16, 256}) b->Args({256, r, 0});
  };
  const auto few = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"M", "R", "Q"})->Threads(1);
    for (const std::int64_t q : {0, 128}) b->Args({256, 64, q});
  };
  benchmark::RegisterBenchmark("zero", zero)
      ->ArgNames({"M", "R", "Q"})
      ->Args({256, 64, 0})
      ->Threads(1);
  for (const InstructionSet isa : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (!is_usable(isa)) continue;
    few(benchmark::RegisterBenchmark(("table/cpu-" + std::string(to_string(isa))).c_str(), table,
                                     isa, true));
  }
  axes(benchmark::RegisterBenchmark("table/cpu", table, best_instruction_set(), true));
  on_all_processors(
      benchmark::RegisterBenchmark("table/cpu-together", table, best_instruction_set(), true));
  few(benchmark::RegisterBenchmark("table-in-cache/cpu", table, best_instruction_set(), false));
}

const bool kRegistered = (register_table(), true);

}  // namespace
}  // namespace tonnage::bench
