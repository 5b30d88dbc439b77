// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// One line of the planning problem, a (server, accelerator) pair: its rows and its answer. Rows are
// plain data without names or pointers, ready to copy to a device. Owns: the rows, the reasons why
// something is not a candidate, and the steps from rows to replicas. Host and device code.
#pragma once

#include <cstdint>

#include "tonnage/core/sizing.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// Why a server has no candidates at all, or one pair is not a candidate.
enum class Reason : std::uint8_t {
  kNone,
  kUnknownClass,        // the server's class does not exist
  kUnknownModel,        // no model of that name
  kNoTarget,            // the class has no target for the model
  kInvalidServer,       // negative or non-finite numbers
  kUnknownAccelerator,  // kept on, or performance data for, an accelerator that does not exist
  kNoPerfData,          // no data for the model on this accelerator
  kKeptElsewhere,       // keepAccelerator and another current accelerator
  kExcluded,            // excluded by the server or its class
  kInvalidPerfData,     // negative or non-finite data, or all parameters 0 under load
  kItlTarget,           // ITL misses its target even at the lowest rate
  kTtftTarget,          // TTFT does, or its percentile
  kE2eTarget,           // response time does
  kDropTarget,          // drop probability does
  kRateRange,           // no sustainable rate
  kTooManyReplicas,     // more than kMaxReplicas
  kAboveMaxReplicas,    // more than the server's maxNumReplicas
  kNoCandidates,        // every accelerator fails for a reason of its own
  kNoCapacity,          // candidates exist, the cards left did not suffice
};
enum class LoadKind : std::uint8_t {
  kUnplannable,  // `reason` says why
  kEmpty,        // zero load, no minimum: the empty allocation
  kIdle,         // zero load, minimum replicas
  kLoaded,
};

inline constexpr std::int32_t kNoAccelerator = -1;       // the empty name
inline constexpr std::int32_t kForeignAccelerator = -2;  // a name the system does not know

struct ServerRow {
  double total_rate_per_ms;  // requests/ms over all replicas
  double in_tokens;
  double out_tokens;
  LatencyTargets targets;
  double token_budget;  // 0: the performance data's
  double current_cost;  // of the current allocation, cents/hour
  std::int64_t current_replicas;
  std::int64_t min_replicas;
  std::int64_t max_replicas;  // 0: no bound
  std::int64_t max_batch;     // 0: from the performance data
  std::int64_t max_queue;
  std::int32_t current_accelerator;  // index, kNoAccelerator or kForeignAccelerator
  std::int32_t priority;
  LoadKind load_kind;
  Reason reason;
  bool has_tps_target;
  bool keeps_accelerator;
};

// One row of performance data, with what a replica on it costs.
struct PerfRow {
  double alpha_ms;
  double beta_ms;
  double gamma_ms;
  double token_budget;
  double cost_per_replica;  // cents/hour
  std::int64_t max_batch;
  std::int64_t at_tokens;
  std::int64_t instances_per_replica;
  std::int64_t cards_per_replica;
  std::int32_t accelerator;  // index into accelerators, by name
  std::int32_t type;         // index into type names
  bool valid;                // finite and not negative
};

// A pair that may be a candidate.
struct LineRow {
  std::int32_t server;
  std::int32_t perf;
};

// The answer for one line: replicas 0 and no reason is the empty allocation.
struct LineOutcome {
  std::int64_t num_replicas = 0;
  std::int64_t max_batch = 0;
  double rate_per_replica_per_ms = 0;  // goodput of one replica at its largest rate
  // Where a target is missed: the best achievable latency, ms, or drop probability.
  double best_achievable = 0;
  Reason reason = Reason::kNone;

  [[nodiscard]] bool feasible() const noexcept { return reason == Reason::kNone; }
  // Whether the targets hold with num_replicas, even if that is more than maxNumReplicas.
  [[nodiscard]] TONNAGE_HD bool sized() const noexcept {
    return reason == Reason::kNone || reason == Reason::kAboveMaxReplicas;
  }
};

// Batch size ceiling N of a line, or the batch of an idle server (docs/model.md).
TONNAGE_HD std::int64_t batch_ceiling(const ServerRow& server, const PerfRow& perf) {
  if (server.max_batch > 0) return server.max_batch;
  if (server.load_kind != LoadKind::kLoaded) return perf.max_batch;
  const double rescaled = std::floor(static_cast<double>(perf.max_batch) *
                                     static_cast<double>(perf.at_tokens) / server.out_tokens);
  return rescaled > 1 ? static_cast<std::int64_t>(rescaled) : 1;
}

// Whether a rate search is needed and possible: there is load, all data are valid, some service
// time is positive, and the ceiling is within kMaxBatchSize.
TONNAGE_HD bool needs_search(const ServerRow& server, const PerfRow& perf) {
  return server.load_kind == LoadKind::kLoaded && perf.valid &&
         has_service_time(perf.alpha_ms, perf.beta_ms, perf.gamma_ms) &&
         batch_ceiling(server, perf) <= kMaxBatchSize;
}

// The queue of one replica of a line at batch size M.
TONNAGE_HD QueueShape queue_shape(const ServerRow& server, const PerfRow& perf,
                                  std::int64_t max_batch) {
  const double budget = server.token_budget > 0 ? server.token_budget : perf.token_budget;
  return {{perf.alpha_ms, perf.beta_ms, perf.gamma_ms, server.in_tokens, server.out_tokens, budget},
          max_batch,
          server.max_queue};
}

// Sizing one batch size takes time in proportion to it. A search over batch sizes may size all of
// them on lines with a ceiling up to kShortLine. On longer lines it sizes at most kMostSized of
// them, which is mostly enough, and then falls back to bounds (goodput_search.hpp).
inline constexpr std::int64_t kShortLine = 2048;
inline constexpr std::int64_t kMostSized = 64;

// Upper end of the rate range as a share of mu(M).
TONNAGE_HD double rate_share(const ServerRow& server) {
  return kRateHigh * (server.has_tps_target ? kTpsShare : 1.0);
}

// Least replicas that carry `total_rate` at goodput `per_replica`, at least `min_replicas`; 0 if
// more than kMaxReplicas would be needed (the pair is then infeasible).
TONNAGE_HD std::int64_t replicas_needed(double total_rate_per_ms, double per_replica_per_ms,
                                        std::int64_t min_replicas) {
  const double needed = std::ceil(total_rate_per_ms / per_replica_per_ms);
  if (!(needed <= static_cast<double>(kMaxReplicas))) return 0;
  const auto replicas = static_cast<std::int64_t>(needed);
  return replicas > min_replicas ? replicas : min_replicas;
}

// The answer at batch size M, given the goodput at the rate that the search found.
TONNAGE_HD LineOutcome line_at_goodput(const ServerRow& server, std::int64_t max_batch,
                                       double goodput_per_ms) {
  LineOutcome r;
  r.max_batch = max_batch;
  r.rate_per_replica_per_ms = goodput_per_ms;
  r.num_replicas = replicas_needed(server.total_rate_per_ms, goodput_per_ms, server.min_replicas);
  if (r.num_replicas == 0) {
    r.reason = Reason::kTooManyReplicas;
  } else if (server.max_replicas > 0 && r.num_replicas > server.max_replicas) {
    r.reason = Reason::kAboveMaxReplicas;
  }
  return r;
}

// The figures of a queue that targets bound.
struct TargetFigures {
  double itl_ms;
  double ttft_ms;
  double response_ms;
  double drop_probability;
};

// Turns the outcome of the rate search at batch size M into replicas or a reason (docs/model.md).
// `figures_at(shape, rate)` gives the figures of a queue at a rate.
template <class FiguresAt>
TONNAGE_HD LineOutcome finish_line_with(const ServerRow& server, const PerfRow& perf,
                                        std::int64_t max_batch, const RateSearch<double>& found,
                                        const FiguresAt& figures_at) {
  if (found.feasible) return line_at_goodput(server, max_batch, found.throughput_per_ms);
  LineOutcome r;
  r.max_batch = max_batch;
  const QueueShape shape = queue_shape(server, perf, max_batch);
  const RateRange range = rate_range(shape, server.has_tps_target);
  if (!(range.low_per_ms <= range.high_per_ms)) {
    r.reason = Reason::kRateRange;
    return r;
  }
  const TargetFigures f = figures_at(shape, range.low_per_ms);
  const LatencyTargets& t = server.targets;
  double worst = -1;
  const auto compare = [&](Reason reason, double best, double target) {
    if (!(target > 0) || best / target <= worst) return;
    worst = best / target;
    r.reason = reason;
    r.best_achievable = best;
  };
  compare(Reason::kItlTarget, f.itl_ms, t.itl_ms);
  compare(Reason::kTtftTarget, f.ttft_ms, t.ttft_ms);
  compare(Reason::kE2eTarget, f.response_ms, t.e2e_ms);
  compare(Reason::kDropTarget, f.drop_probability, t.drop);
  return r;
}

// AverageFigures: all figures are averages. PercentileFigures: TTFT is ttft(metrics, Q).
struct AverageFigures {
  TONNAGE_HD TargetFigures operator()(const QueueShape& shape, double rate) const {
    const RatePoint<double> r = averages_at(shape, rate);
    const double prefill =
        prefill_within_service(SteppedPair{shape, {}, 0.0}.prefill_ms(r.in_service), r.service_ms);
    const double itl = (r.service_ms - prefill) / shape.service.out_tokens;
    return {itl, r.wait_ms + prefill + itl, r.wait_ms + r.service_ms, r.drop_probability};
  }
};
template <class Ttft>
struct PercentileFigures {
  Ttft ttft;
  TONNAGE_HD TargetFigures operator()(const QueueShape& shape, double rate) const {
    const QueueMetrics m = evaluate_queue(shape.service, shape.max_batch, shape.max_queue, rate);
    return {m.itl_ms, ttft(m, shape.max_queue), m.wait_ms + m.service_ms, m.drop_probability};
  }
};
template <class Ttft>
TONNAGE_HD PercentileFigures<Ttft> percentile_figures(const Ttft& ttft) {
  return {ttft};
}

// finish_line() of a server without a target on a percentile.
TONNAGE_HD LineOutcome finish_line_on_averages(const ServerRow& server, const PerfRow& perf,
                                               std::int64_t max_batch,
                                               const RateSearch<double>& found) {
  return finish_line_with(server, perf, max_batch, found, AverageFigures{});
}

}  // namespace tonnage
