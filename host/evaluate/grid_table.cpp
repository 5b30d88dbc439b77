// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Fills the table of a grid line block by block: metrics by kernels or one by one, percentiles,
// replicas needed, verdicts.
#include "host/evaluate/grid_table.hpp"

#include <algorithm>

#include "host/evaluate/grid_row.hpp"
#include "tonnage/core/verdict.hpp"
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {
namespace {

// Candidates of a block: its columns fit the second-level cache.
constexpr std::int64_t kBlockCandidates = 8192;
// Batch sizes sized between two checks for interruption: whole packs.
constexpr std::size_t kSizedTogether = 2 * kWidestPack;

}  // namespace

TableFiller::TableFiller(const Problem& problem, const Kernels& kernels,
                         const std::vector<double>& reciprocals, bool percentiles,
                         std::int64_t block_bytes, WorkMeter& meter)
    : problem_(problem),
      kernels_(kernels),
      reciprocals_(reciprocals),
      meter_(meter),
      num_columns_(percentiles ? kNumGridColumns : kNumPlainGridColumns),
      block_candidates_(std::clamp<std::int64_t>(
          block_bytes / (num_columns_ + 2) / static_cast<std::int64_t>(sizeof(double)), 1,
          kBlockCandidates)) {}

void TableFiller::find_needs(const GridLine& g, std::int64_t first, std::int64_t num) {
  unsettled_.clear();
  for (std::int64_t b = first; b < first + num; ++b) {
    const auto i = static_cast<std::size_t>((b - first) * g.num_replicas);
    const auto column = [&](GridColumn c) { return &at(c, i); };
    const bool percentile = server_->targets.binds_percentile();
    const auto needed = needed_by_row(
        *server_, *perf_, tables_.line(),
        {g.batch(b), g.num_replicas, chains_.replicas, chains_.rate, column(GridColumn::kItl),
         column(GridColumn::kTtft), column(GridColumn::kWait), column(GridColumn::kPrefill),
         column(GridColumn::kResponse), column(GridColumn::kDrop),
         percentile ? &wait_weight_[i] : nullptr, percentile ? &load_[i] : nullptr});
    need_[b] = needed.value_or(0);
    if (!needed) unsettled_.push_back(b);
  }
  size_batches(g);
}

void TableFiller::size_batches(const GridLine& g) {
  const bool plain = !server_->targets.binds_percentile();
  const auto replicas_at = [&](double goodput) {
    return replicas_needed(server_->total_rate_per_ms, goodput, server_->min_replicas);
  };
  for (std::size_t first = 0; first < unsettled_.size(); first += kSizedTogether) {
    meter_.check();
    const std::size_t last = std::min(first + kSizedTogether, unsettled_.size());
    batches_.clear();
    for (std::size_t i = first; i < last; ++i) batches_.push_back(g.batch(unsettled_[i]));
    goodput_.resize(batches_.size());
    if (plain) {
      kernels_.size_batches(tables_.line(), batches_.data(),
                            static_cast<std::int64_t>(batches_.size()), goodput_.data());
    }
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      std::int64_t& need = need_[unsettled_[first + i]];
      const QueueShape shape = queue_shape(*server_, *perf_, batches_[i]);
      if (plain && goodput_[i] == 0) {
        need = -1;  // the targets miss at the low end whatever search asks
        continue;
      }
      if (plain &&
          is_plain_pair(shape, tables_.line().chunks[1], tables_.line().chunks[batches_[i]])) {
        const std::int64_t most = replicas_at(goodput_[i] * (1 - kPackedTolerance));
        if (most > 0 && most == replicas_at(goodput_[i] * (1 + kPackedTolerance))) {
          need = most;
          continue;
        }
      }
      const RateSearch<double> found = kernels_.size_one(
          shape, server_->targets, server_->has_tps_target, tables_.line().inv_mu);
      const std::int64_t replicas = found.feasible ? replicas_at(found.throughput_per_ms) : 0;
      need = replicas > 0 ? replicas : -1;
    }
  }
}

void TableFiller::fill_alone(const GridLine& g, std::int64_t first, std::int64_t from,
                             std::int64_t num) {
  auto i = static_cast<std::size_t>(from * g.num_replicas);
  for (std::int64_t b = first + from; b < first + num; ++b) {
    const QueueShape shape = queue_shape(*server_, *perf_, g.batch(b));
    for (std::int64_t j = 0; j < g.num_replicas; ++j, ++i) {
      const double replicas = chains_.replicas[j];
      const QueueMetrics m =
          evaluate_queue(shape.service, shape.max_batch, shape.max_queue, chains_.rate[j]);
      at(GridColumn::kCost, i) = perf_->cost_per_replica * replicas;
      at(GridColumn::kGoodput, i) = m.throughput_per_ms * (replicas * kMsPerMinute);
      at(GridColumn::kDrop, i) = m.drop_probability;
      at(GridColumn::kItl, i) = m.itl_ms;
      at(GridColumn::kTtft, i) = m.ttft_ms;
      at(GridColumn::kWait, i) = m.wait_ms;
      at(GridColumn::kPrefill, i) = m.prefill_ms;
      at(GridColumn::kResponse, i) = m.wait_ms + m.service_ms;
      at(GridColumn::kRho, i) = m.utilization;
      at(GridColumn::kPower, i) =
          (replicas * table_.instances_per_replica) * table_power(table_, m.utilization);
      if (!wait_weight_.empty()) {
        wait_weight_[i] = m.wait_weight;
        load_[i] = chains_.rate[j] / m.full_rate_per_ms;
      }
    }
  }
}

double TableFiller::ttft_percentile(std::size_t i, std::int64_t batch, double probability) const {
  QueueMetrics m = metrics_of_wait(wait_weight_[i], load_[i], tables_.line().inv_mu[batch]);
  m.prefill_ms = at(GridColumn::kPrefill, i);
  m.itl_ms = at(GridColumn::kItl, i);
  return ttft_quantile(m, server_->max_queue, probability);
}

void TableFiller::fill_percentiles(const GridLine& g, std::int64_t first, std::int64_t num) {
  std::size_t i = 0;
  for (std::int64_t b = first; b < first + num; ++b) {
    for (std::int64_t j = 0; j < g.num_replicas; ++j, ++i) {
      for (int level = 0; level < kNumTtftLevels; ++level) {
        columns_[kNumPlainGridColumns + level][i] =
            ttft_percentile(i, g.batch(b), kTtftLevels.probability[level]);
      }
    }
  }
}

void TableFiller::judge(const GridLine& g, std::int64_t first, std::int64_t num) {
  std::size_t i = 0;
  for (std::int64_t b = first; b < first + num; ++b) {
    const std::int64_t batch = g.batch(b);
    for (std::int64_t j = 0; j < g.num_replicas; ++j, ++i) {
      const std::int64_t replicas = g.replicas(j);
      const double rate = server_->total_rate_per_ms / static_cast<double>(replicas);
      const auto ttft = [&] {
        if (!server_->targets.binds_percentile()) return at(GridColumn::kTtft, i);
        meter_.check();
        return ttft_percentile(i, batch, server_->targets.ttft_percentile / 100);
      };
      const auto low_end = [&] {
        return finish_line(*server_, *perf_, batch, RateSearch<double>{}).reason;
      };
      verdicts_[i] =
          judge_candidate(*server_, replicas, need_[b],
                          {at(GridColumn::kItl, i), at(GridColumn::kResponse, i),
                           at(GridColumn::kDrop, i), rate * tables_.line().inv_mu[batch]},
                          ttft, low_end);
    }
  }
}

void TableFiller::hand_over(const GridLine& g, std::int64_t ordinal, std::int64_t first,
                            std::int64_t num, const GridConsumer& consumer) const {
  const auto count = static_cast<std::size_t>(num * g.num_replicas);
  GridBlock block{&g, ordinal, first, num, {}, {verdicts_.data(), count}};
  for (int c = 0; c < num_columns_; ++c) block.columns[c] = {columns_[c].data(), count};
  consumer(block);
}

void TableFiller::fill_idle(const GridLine& g, std::int64_t ordinal, const GridConsumer& consumer) {
  const LineOutcome outcome = size_line(*server_, *perf_);
  LineOutcome ready = outcome;
  ready.reason = Reason::kNone;
  const AllocationMetrics m =
      allocation_metrics(*server_, *perf_, problem_.accelerators[perf_->accelerator], ready);
  for (int c = 0; c < num_columns_; ++c) columns_[c][0] = 0;
  at(GridColumn::kCost, 0) = line_cost(*perf_, ready);
  at(GridColumn::kItl, 0) = m.itl_ms;
  at(GridColumn::kTtft, 0) = m.ttft_ms;
  at(GridColumn::kPrefill, 0) = m.ttft_ms - m.itl_ms;
  at(GridColumn::kResponse, 0) = m.response_ms;
  at(GridColumn::kPower, 0) = m.power_w;
  if (num_columns_ == kNumGridColumns) {
    at(GridColumn::kTtftP50, 0) = at(GridColumn::kTtftP90, 0) = m.ttft_ms;
    at(GridColumn::kTtftP95, 0) = at(GridColumn::kTtftP99, 0) = m.ttft_ms;
  }
  verdicts_[0] = outcome.feasible() ? Verdict::kFeasible : Verdict::kTooManyReplicas;
  hand_over(g, ordinal, 0, 1, consumer);
}

void TableFiller::fill(const GridLine& g, std::int64_t ordinal, const GridConsumer& consumer) {
  server_ = &problem_.servers[problem_.lines[g.line].server];
  perf_ = &problem_.perfs[problem_.lines[g.line].perf];
  const std::int64_t rows =
      std::clamp<std::int64_t>(block_candidates_ / g.num_replicas, 1, g.num_batches);
  const auto size = static_cast<std::size_t>(rows * g.num_replicas);
  if (verdicts_.size() < size) {
    for (int c = 0; c < num_columns_; ++c) columns_[c].resize(size);
    verdicts_.resize(size);
  }
  // Percentile columns and percentile targets need the columns of the wait.
  const bool asks_wait =
      num_columns_ == kNumGridColumns || server_->targets.binds_percentile();
  wait_weight_.resize(asks_wait ? verdicts_.size() : 0);
  load_.resize(wait_weight_.size());
  if (server_->load_kind == LoadKind::kIdle) {
    fill_idle(g, ordinal, consumer);
    return;
  }
  tables_.prepare(*server_, *perf_, reciprocals_, g.batch(g.num_batches - 1));
  const Accelerator& accelerator = problem_.accelerators[perf_->accelerator];
  table_ = {server_->total_rate_per_ms,
            perf_->alpha_ms,
            server_->out_tokens,
            server_->max_queue,
            static_cast<double>(perf_->instances_per_replica),
            perf_->cost_per_replica,
            accelerator.power_curve()};
  chains_ = chain_store_.start(g.num_replicas, server_->total_rate_per_ms,
                               [&](std::int64_t i) { return g.replicas(i); });
  need_.resize(static_cast<std::size_t>(g.num_batches));
  TableRows to{};
  for (int c = 0; c < kNumPlainGridColumns; ++c) to.column[c] = columns_[c].data();
  if (!wait_weight_.empty()) {
    to.wait_weight = wait_weight_.data();
    to.load = load_.data();
  }
  bool alone = false;
  for (std::int64_t first = 0; first < g.num_batches; first += rows) {
    const std::int64_t num = std::min(rows, g.num_batches - first);
    const std::int64_t by_lanes = alone
                                      ? 0
                                      : kernels_.fill_table(tables_.line(), table_, chains_,
                                                            g.batch(first), g.batch_step, num, to);
    alone = by_lanes < num;
    fill_alone(g, first, by_lanes, num);
    meter_.check();
    find_needs(g, first, num);
    if (num_columns_ == kNumGridColumns) fill_percentiles(g, first, num);
    judge(g, first, num);
    hand_over(g, ordinal, first, num, consumer);
  }
}

}  // namespace tonnage
