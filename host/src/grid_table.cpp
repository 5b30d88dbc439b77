#include "grid_table.hpp"

#include <algorithm>

#include "tonnage/core/verdict.hpp"
#include "tonnage/core/wait_distribution.hpp"

namespace tonnage {
namespace {

// Columns of a block stay in the second-level cache.
constexpr std::int64_t kBlockCandidates = 8192;

}  // namespace

TableFiller::TableFiller(const Problem& problem, const Kernels& kernels,
                         const std::vector<double>& reciprocals, bool percentiles,
                         std::int64_t block_bytes)
    : problem_(problem),
      kernels_(kernels),
      reciprocals_(reciprocals),
      num_columns_(percentiles ? kNumGridColumns : kNumPlainGridColumns),
      block_candidates_(std::clamp<std::int64_t>(
          block_bytes / (num_columns_ + 2) / static_cast<std::int64_t>(sizeof(double)), 1,
          kBlockCandidates)) {}

void TableFiller::size_batches(const GridLine& g) {
  batches_.resize(static_cast<std::size_t>(g.num_batches));
  for (std::int64_t i = 0; i < g.num_batches; ++i) batches_[i] = g.batch(i);
  goodput_.resize(batches_.size());
  need_.resize(batches_.size());
  const bool plain = !server_->targets.binds_percentile();
  if (plain) kernels_.size_batches(tables_.line(), batches_.data(), g.num_batches, goodput_.data());
  const auto replicas_at = [&](double goodput) {
    return replicas_needed(server_->total_rate_per_ms, goodput, server_->min_replicas);
  };
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    const QueueShape shape = queue_shape(*server_, *perf_, batches_[i]);
    if (plain && goodput_[i] == 0) {
      need_[i] = -1;  // the targets miss at the low end whatever search asks
      continue;
    }
    if (plain &&
        is_plain_pair(shape, tables_.line().chunks[1], tables_.line().chunks[batches_[i]])) {
      const std::int64_t most = replicas_at(goodput_[i] * (1 - kPackedTolerance));
      if (most > 0 && most == replicas_at(goodput_[i] * (1 + kPackedTolerance))) {
        need_[i] = most;
        continue;
      }
    }
    const RateSearch<double> found =
        kernels_.size_one(shape, server_->targets, server_->has_tps_target, tables_.line().inv_mu);
    const std::int64_t replicas = found.feasible ? replicas_at(found.throughput_per_ms) : 0;
    need_[i] = replicas > 0 ? replicas : -1;
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
      at(GridColumn::kGoodput, i) = m.throughput_per_ms * (replicas * 60000.0);
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

void TableFiller::fill_percentiles(const GridLine& g, std::int64_t first, std::int64_t num) {
  std::size_t i = 0;
  for (std::int64_t b = first; b < first + num; ++b) {
    for (std::int64_t j = 0; j < g.num_replicas; ++j, ++i) {
      QueueMetrics m =
          metrics_of_wait(wait_weight_[i], load_[i], tables_.line().inv_mu[g.batch(b)]);
      m.prefill_ms = at(GridColumn::kPrefill, i);
      m.itl_ms = at(GridColumn::kItl, i);
      for (int level = 0; level < kNumTtftLevels; ++level) {
        columns_[kNumPlainGridColumns + level][i] =
            ttft_quantile(m, server_->max_queue, kTtftLevels.probability[level]);
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
        const QueueShape shape = queue_shape(*server_, *perf_, batch);
        const QueueMetrics m = evaluate_queue(shape.service, batch, shape.max_queue, rate);
        return ttft_quantile(m, shape.max_queue, server_->targets.ttft_percentile / 100);
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
    if (num_columns_ == kNumGridColumns) {
      wait_weight_.resize(size);
      load_.resize(size);
    }
  }
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
  size_batches(g);
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
    if (num_columns_ == kNumGridColumns) fill_percentiles(g, first, num);
    judge(g, first, num);
    hand_over(g, ordinal, first, num, consumer);
  }
}

}  // namespace tonnage
