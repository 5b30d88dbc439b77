// The planning problem as flat rows: what sizing, selection and the backends work on.
// Owns: the rows built once from a System, the reasons why something is not a candidate, and the
// answer for one line. Rows are plain data without names or pointers, ready to copy to a device.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/accelerator.hpp"
#include "tonnage/core/sizing.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

class System;
class Server;

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
// One clause for people, e.g. "no performance data for the model on this accelerator".
[[nodiscard]] std::string_view describe(Reason reason);

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
};

// Metrics of an allocation at the rate each replica sees.
struct AllocationMetrics {
  double itl_ms = 0;
  double ttft_ms = 0;
  double response_ms = 0;  // wait and service, to the last token
  double rho = 0;
  double max_rate_per_replica_per_ms = 0;
  double drop_probability = 0;
  double ttft_p50_ms = 0;
  double ttft_p90_ms = 0;
  double ttft_p95_ms = 0;
  double ttft_p99_ms = 0;
  double power_w = 0;  // all replicas, at utilisation rho

  friend bool operator==(const AllocationMetrics&, const AllocationMetrics&) = default;
};

// Rows of a System. Indices follow the order of names, so they do not depend on input order.
struct Problem {
  std::vector<std::string> server_names;    // [servers]
  std::vector<Accelerator> accelerators;    // [accelerators], by name
  std::vector<std::string> type_names;      // [types], by name: of accelerators and capacities
  std::vector<std::int64_t> type_capacity;  // [types], cards; 0 without a capacity entry
  std::vector<bool> type_has_capacity;      // [types]
  std::vector<ServerRow> servers;           // [servers]
  std::vector<PerfRow> perfs;               // by model name, then accelerator name
  std::vector<LineRow> lines;               // by server, then accelerator
  std::vector<std::int64_t> first_line;     // [servers + 1]: lines of server s

  [[nodiscard]] std::span<const LineRow> lines_of(std::int64_t server) const {
    return {lines.data() + first_line[server],
            static_cast<std::size_t>(first_line[server + 1] - first_line[server])};
  }
};

// Builds the rows of a whole system. Lines hold every (server, accelerator) pair with performance
// data for a plannable server, restricted by keepAccelerator; a server of kind kEmpty has one line
// per such pair, too, all with the same answer.
[[nodiscard]] Problem build_problem(const System& system);

// The rows of one server and of one row of performance data, accelerator indices in name order.
[[nodiscard]] ServerRow make_server_row(const System& system, const Server& server);
[[nodiscard]] PerfRow make_perf_row(const System& system, const ModelPerfSpec& spec);

// Batch size ceiling N of a line, or the batch of an idle server (section 4).
[[nodiscard]] std::int64_t batch_ceiling(const ServerRow& server, const PerfRow& perf);

// Whether the line has load and data to search a rate for: everything valid, not all parameters 0,
// a ceiling within kMaxBatchSize.
[[nodiscard]] bool needs_search(const ServerRow& server, const PerfRow& perf);

// Queue of a line at batch size M.
[[nodiscard]] QueueShape queue_shape(const ServerRow& server, const PerfRow& perf,
                                     std::int64_t max_batch);

// Turns the outcome of the rate search at batch size M into replicas or a reason.
[[nodiscard]] LineOutcome finish_line(const ServerRow& server, const PerfRow& perf,
                                      std::int64_t max_batch, const RateSearch<double>& found);

// Answers one line, batch size at its ceiling.
[[nodiscard]] LineOutcome size_line(const ServerRow& server, const PerfRow& perf);

// Value of `replicas` on a line: the transition penalty from the server's current allocation.
[[nodiscard]] double line_value(const ServerRow& server, const PerfRow& perf,
                                const LineOutcome& outcome);
[[nodiscard]] double line_cost(const PerfRow& perf, const LineOutcome& outcome);

// cost_to - cost_from with the surcharge for changing accelerators (section 4).
[[nodiscard]] double transition_penalty(bool same_accelerator, std::int64_t replicas_from,
                                        double cost_from, std::int64_t replicas_to, double cost_to);

// Values and regrets are compared after rounding to 1e-6 cents: regrets tie structurally, and
// ties are then broken by name (index order).
[[nodiscard]] double rounded_value(double value);

// Metrics of `replicas` replicas at batch size `max_batch` sharing the server's whole load.
[[nodiscard]] AllocationMetrics allocation_metrics(const ServerRow& server, const PerfRow& perf,
                                                   const Accelerator& accelerator,
                                                   const LineOutcome& outcome);

}  // namespace tonnage
