#include "tonnage/host/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "host/plan/planning.hpp"
#include "host/verify/mix.hpp"
#include "host/verify/totals.hpp"
#include "host/verify/truth.hpp"
#include "tonnage/core/plan.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/core/queueing.hpp"
#include "tonnage/core/sizing.hpp"

namespace tonnage {
namespace {

// Where latency hardly depends on the rate, searches that stop at different tolerances end far
// apart: the largest rate is compared more loosely than other claims.
constexpr double kRateClaimTolerance = 1e-2;
// Probabilities and utilisations below this count as 0.
constexpr double kTinyShare = 1e-6;

// What the model says about one claimed allocation.
struct Truth {
  bool cost_known = false;
  double cost = 0;
  bool value_known = false;
  double value = 0;
  bool partial = false;
  bool moves = false;    // on another accelerator than the current allocation
  bool changed = false;  // than the current allocation
  bool power_known = false;
  double power_w = 0;
};

class Verifier {
 public:
  Verifier(const System& system, const OptimizerSpec& optimizer, const PlanClaims& claims)
      : system_(&system), optimizer_(optimizer), claims_(&claims) {
    for (const auto& [name, accelerator] : system.accelerators()) {
      totals_.types[accelerator.type()];
    }
    for (const auto& [type, unused] : system.capacities()) totals_.types[type];
  }

  std::vector<Violation> run() {
    for (const auto& [name, claim] : claims_->allocations) {
      name_ = name;
      check_server(claim);
    }
    check_unallocated();
    std::stable_sort(violations_.begin(), violations_.end(),
                     [](const Violation& a, const Violation& b) { return a.server < b.server; });
    name_.clear();
    for (PlanViolation& v :
         check_totals(*system_, optimizer_, *claims_, totals_, violations_.empty())) {
      report(v.kind, "{}", v.message);
    }
    return std::move(violations_);
  }

 private:
  template <class... Args>
  void report(const char* kind, fmt::format_string<Args...> format, Args&&... args) {
    violations_.push_back({name_, kind, fmt::format(format, std::forward<Args>(args)...)});
  }

  void check_claim(const char* kind, const char* field, const std::optional<double>& claimed,
                   double truth, double scale = 0, double tolerance = kClaimTolerance) {
    if (claim_holds(claimed, truth, scale, tolerance)) return;
    report(kind, "{}", claim_text(field, *claimed, truth));
  }

  void check_server(const AllocationClaims& claim) {
    const Server* server = system_->find_server(name_);
    if (server == nullptr) {
      report("unknown-server", "the system has no such server");
      totals_.costs_known = false;
      return;
    }
    const ServerRow row = make_server_row(*system_, *server);
    const Truth truth = check_allocation(*server, row, claim);
    check_load(server->load(), claim);
    check_claim("cost", "cost", truth.cost_known ? claim.cost_cents_per_hour : std::nullopt,
                truth.cost);
    check_claim("value", "value", truth.value_known ? claim.value : std::nullopt, truth.value,
                truth.cost);
    totals_.costs_known = totals_.costs_known && truth.cost_known;
    totals_.values_known = totals_.values_known && truth.value_known;
    totals_.cost += truth.cost;
    totals_.value += truth.value;
    PriorityOutcome& group = totals_.outcomes[row.priority];
    ++(truth.partial ? group.partial : group.served);
    totals_.power_known = totals_.power_known && truth.power_known;
    totals_.power_w += truth.power_w * optimizer_.pue;
    totals_.changes += truth.changed ? 1 : 0;
    if (!truth.partial) {
      totals_.whole.insert(name_);
      totals_.whole_objective +=
          weighted_objective(optimizer_, row, truth.moves, truth.value, truth.cost, truth.power_w);
    }
  }

  void check_load(const LoadSpec& load, const AllocationClaims& claim) {
    if (!claim.load) return;
    const LoadSpec& c = *claim.load;
    if (claim_holds(c.arrival_rate_per_min, load.arrival_rate_per_min) &&
        c.avg_in_tokens == load.avg_in_tokens && c.avg_out_tokens == load.avg_out_tokens) {
      return;
    }
    report("load",
           "the load is stated as {:.6g} requests/min of {} input and {} output tokens, it is "
           "{:.6g} of {} and {}",
           c.arrival_rate_per_min, c.avg_in_tokens, c.avg_out_tokens, load.arrival_rate_per_min,
           load.avg_in_tokens, load.avg_out_tokens);
  }

  Truth check_allocation(const Server& server, const ServerRow& row,
                         const AllocationClaims& claim) {
    Truth truth;
    truth.partial = claim.partial.value_or(false);
    if (row.load_kind == LoadKind::kUnplannable) {
      report("unplannable", "has an allocation, although {}", describe(row.reason));
    }
    if (!claim.accelerator || !claim.num_replicas) {
      report("incomplete", "the allocation does not state its {}",
             claim.accelerator ? "numReplicas" : "accelerator");
      return truth;
    }
    if (!claim.parts.empty()) {
      check_combined(server, row, claim, truth);
      return truth;
    }
    if (claim.accelerator->empty()) {
      check_empty(server, row, claim, truth);
      return truth;
    }
    const Accelerator* accelerator = system_->find_accelerator(*claim.accelerator);
    if (accelerator == nullptr) {
      report("unknown-accelerator", "the system has no accelerator \"{}\"", *claim.accelerator);
      return truth;
    }
    const std::string& current = server.spec().current_alloc.accelerator;
    if (server.excludes(*system_, *claim.accelerator)) {
      report("excluded", "\"{}\" is excluded by the server or its class", *claim.accelerator);
    }
    if (row.keeps_accelerator && *claim.accelerator != current) {
      report("keep-accelerator", "must stay on \"{}\", the plan moves it to \"{}\"", current,
             *claim.accelerator);
    }
    const Model* model = system_->find_model(server.model());
    const ModelPerfSpec* spec = model == nullptr ? nullptr : model->find_perf(*claim.accelerator);
    if (spec == nullptr) {
      report("no-perf-data", "the model \"{}\" has no performance data on \"{}\"", server.model(),
             *claim.accelerator);
      return truth;
    }
    const PerfRow perf = make_perf_row(*system_, *spec);
    if (!perf.valid) {
      report("perf-data", "the performance data of \"{}\" on \"{}\" is out of range",
             server.model(), *claim.accelerator);
      return truth;
    }
    check_placed(row, perf, *accelerator, claim, truth);
    return truth;
  }

  void check_empty(const Server& server, const ServerRow& row, const AllocationClaims& claim,
                   Truth& truth) {
    truth.cost_known = truth.value_known = truth.power_known = true;
    truth.moves = row.current_accelerator != kNoAccelerator;
    truth.changed = is_change(row, kNoAccelerator, 0);
    truth.value = transition_penalty(row.current_accelerator == kNoAccelerator,
                                     row.current_replicas, row.current_cost, 0, 0);
    if (*claim.num_replicas != 0) {
      report("zero-load", "{} on no accelerator", counted(*claim.num_replicas, "replica"));
    }
    if (row.load_kind == LoadKind::kLoaded || row.load_kind == LoadKind::kIdle) {
      report("zero-load", "the allocation is empty, although the server {}",
             row.load_kind == LoadKind::kLoaded ? "has load"
                                                : "must keep a minimum number of replicas");
    } else if (row.load_kind == LoadKind::kEmpty && !may_be_empty(server, row)) {
      report("no-perf-data", "no accelerator it may use has performance data for its model");
    }
    if (truth.partial) report("partial", "marked as partial, but it is empty");
    check_metrics(claim, {}, truth);
  }

  void check_combined(const Server& server, const ServerRow& row, const AllocationClaims& claim,
                      Truth& truth) {
    const MixTruth mix =
        check_mix(*system_, optimizer_, server, row, claim,
                  [&](const char* kind, std::string message) { report(kind, "{}", message); });
    if (!mix.placed) return;
    truth.cost_known = truth.value_known = true;
    truth.cost = mix.cost;
    truth.value = mix.value;
    truth.moves = mix.moves;
    truth.changed = mix.changed;
    for (const MixTruth::Cards& part : mix.cards) add_cards(part.type, part.cards, part.cost);
    if (mix.sized) check_metrics(claim, mix.metrics, truth);
  }

  void add_cards(const std::string& type, std::int64_t cards, double cost) {
    PlanTotals::Type& total = totals_.types[type];
    if (__builtin_add_overflow(total.used, cards, &total.used)) total.used = INT64_MAX;
    total.cost += cost;
  }

  bool may_be_empty(const Server& server, const ServerRow& row) const {
    const Model* model = system_->find_model(server.model());
    const std::string& current = server.spec().current_alloc.accelerator;
    return std::any_of(model->perfs().begin(), model->perfs().end(), [&](const auto& entry) {
      if (row.keeps_accelerator && entry.first != current) return false;
      if (server.excludes(*system_, entry.first)) return false;
      return make_perf_row(*system_, entry.second).valid;
    });
  }

  void check_placed(const ServerRow& row, const PerfRow& perf, const Accelerator& accelerator,
                    const AllocationClaims& claim, Truth& truth) {
    const std::int64_t replicas = *claim.num_replicas;
    if (replicas < 1 || replicas > kMaxReplicas) {
      report("replicas", "{}, expected 1 to {}", counted(replicas, "replica"), kMaxReplicas);
      return;
    }
    truth.cost_known = true;
    truth.cost = perf.cost_per_replica * static_cast<double>(replicas);
    std::int64_t cards = 0;
    if (__builtin_mul_overflow(replicas, perf.cards_per_replica, &cards)) cards = INT64_MAX;
    add_cards(accelerator.type(), cards, truth.cost);
    truth.moves = row.current_accelerator != perf.accelerator;
    truth.changed = is_change(row, perf.accelerator, replicas);
    if (row.load_kind == LoadKind::kUnplannable) return;
    if (replicas < row.min_replicas && !truth.partial) {
      report("min-replicas", "{}, at least {} wanted", counted(replicas, "replica"),
             row.min_replicas);
    }
    if (row.max_replicas > 0 && replicas > row.max_replicas) {
      report("max-replicas", "{}, at most {} allowed", counted(replicas, "replica"),
             row.max_replicas);
    }
    if (!claim.max_batch) {
      report("incomplete", "the allocation does not state its maxBatch");
      return;
    }
    if (row.load_kind == LoadKind::kLoaded) {
      check_loaded(row, perf, accelerator, claim, truth);
    } else {
      check_idle(row, perf, accelerator, claim, truth);
    }
  }

  void check_idle(const ServerRow& row, const PerfRow& perf, const Accelerator& accelerator,
                  const AllocationClaims& claim, Truth& truth) {
    const std::int64_t batch = batch_ceiling(row, perf);
    if (*claim.max_batch != batch) {
      report("batch", "batch size {}, without load it is {}", *claim.max_batch, batch);
      return;
    }
    if (*claim.num_replicas > row.min_replicas) {
      report("zero-load", "{} without load, the minimum is {}",
             counted(*claim.num_replicas, "replica"), row.min_replicas);
    }
    finish_value(row, perf, claim, row.min_replicas, truth);
    check_metrics(claim, idle_truth(row, perf, accelerator, batch, *claim.num_replicas), truth);
  }

  void check_loaded(const ServerRow& row, const PerfRow& perf, const Accelerator& accelerator,
                    const AllocationClaims& claim, Truth& truth) {
    const std::int64_t replicas = *claim.num_replicas;
    const std::int64_t ceiling = batch_ceiling(row, perf);
    if (*claim.max_batch < 1 || *claim.max_batch > ceiling) {
      report("batch", "batch size {}, expected 1 to {}", *claim.max_batch, ceiling);
      return;
    }
    if (!has_service_time(perf.alpha_ms, perf.beta_ms, perf.gamma_ms)) {
      report("perf-data", "all parameters of the performance data are 0 or below 1e-100 ms");
      return;
    }
    const QueueShape shape = queue_shape(row, perf, *claim.max_batch);
    const QueueMetrics m = evaluate_queue(shape.service, shape.max_batch, shape.max_queue,
                                          row.total_rate_per_ms / static_cast<double>(replicas));
    const RateSearch<double> found = size_pair(shape, row.targets, row.has_tps_target);
    const std::int64_t needed = needed_replicas(row, found);
    const bool short_of = needed == 0 || replicas < needed;
    // ITL may fall as the rate rises; below the range the targets need not hold.
    const bool in_range = row.total_rate_per_ms >=
                          rate_range(shape, false).low_per_ms * static_cast<double>(replicas);
    if (!truth.partial && in_range) {
      for (const MissedTarget& missed : missed_targets(row.targets, m, shape.max_queue)) {
        report(missed.kind, "{}", missed.message);
      }
    }
    if (!found.feasible) {
      if (!slackly_enough(row, shape, replicas)) {
        report("infeasible", "no rate keeps the targets at batch size {}", *claim.max_batch);
      }
      return;
    }
    if (short_of && !truth.partial) {
      // Another search may have stopped elsewhere within the tolerance of the targets.
      if (slackly_enough(row, shape, replicas)) {
        truth.value_known = true;
        truth.value = value(row, perf, replicas);
      } else {
        report("replicas", "within the targets {} can carry {:.6g} of {:.6g} requests/min; {}",
               counted(replicas, "replica"),
               found.throughput_per_ms * static_cast<double>(replicas) * 60000,
               row.total_rate_per_ms * 60000,
               needed == 0 ? std::string("no permitted number suffices")
                           : fmt::format("needed: {}", needed));
        truth.partial = true;
        return;  // what other solvers state of partial allocations is left as it was
      }
    } else if (needed == 0) {
      report("replicas", "no permitted number of replicas meets the targets");
    } else {
      if (row.max_replicas > 0 && needed > row.max_replicas) {
        report("max-replicas", "the targets need {}, at most {} allowed",
               counted(needed, "replica"), row.max_replicas);
      }
      const std::int64_t wanted = needed + optimizer_.spare_replicas;
      if (!truth.partial && replicas < wanted) {
        report("spare-replicas", "{}, {} needed and {} wanted to spare",
               counted(replicas, "replica"), needed, optimizer_.spare_replicas);
      }
      finish_value(row, perf, claim, truth.partial ? wanted : needed, truth);
    }
    check_metrics(
        claim, loaded_truth(perf, accelerator, shape, m, found.throughput_per_ms, replicas), truth);
  }

  // 0: no number of replicas is enough.
  static std::int64_t needed_replicas(const ServerRow& row, const RateSearch<double>& found) {
    if (!found.feasible) return 0;
    return replicas_needed(row.total_rate_per_ms, found.throughput_per_ms, row.min_replicas);
  }

  // Whether the replicas suffice when the targets are taken at the end of their tolerance.
  static bool slackly_enough(const ServerRow& row, const QueueShape& shape, std::int64_t replicas) {
    LatencyTargets slack = row.targets;
    for (double* target : {&slack.itl_ms, &slack.ttft_ms, &slack.e2e_ms, &slack.drop}) {
      *target *= 1 + kTargetSlack;
    }
    const std::int64_t needed = needed_replicas(row, size_pair(shape, slack, row.has_tps_target));
    return needed > 0 && replicas >= needed;
  }

  static double value(const ServerRow& row, const PerfRow& perf, std::int64_t replicas) {
    return transition_penalty(row.current_accelerator == perf.accelerator, row.current_replicas,
                              row.current_cost, replicas,
                              perf.cost_per_replica * static_cast<double>(replicas));
  }

  // The value, which scales with the replicas granted, and whether the partial mark is right.
  void finish_value(const ServerRow& row, const PerfRow& perf, const AllocationClaims& claim,
                    std::int64_t needed, Truth& truth) {
    const std::int64_t replicas = *claim.num_replicas;
    if (truth.partial && replicas >= needed) {
      report("partial", "marked as partial, although {} would do", counted(needed, "replica"));
      truth.partial = false;
    }
    truth.value_known = true;
    truth.value = replicas >= needed ? value(row, perf, replicas)
                                     : value(row, perf, needed) * (static_cast<double>(replicas) /
                                                                   static_cast<double>(needed));
  }

  void check_metrics(const AllocationClaims& claim, const AllocationMetrics& m, Truth& truth) {
    truth.power_known = true;
    truth.power_w = m.power_w;
    check_claim("claim", "itlAverage", claim.itl_average_ms, m.itl_ms);
    check_claim("claim", "ttftAverage", claim.ttft_average_ms, m.ttft_ms);
    check_claim("claim", "respTimeAverage", claim.response_ms, m.response_ms);
    check_claim("claim", "rho", claim.rho, m.rho, kTinyShare);
    check_claim("claim", "maxRPM", claim.max_rpm, m.max_rate_per_replica_per_ms * 60000, 0,
                kRateClaimTolerance);
    check_claim("claim", "dropProbability", claim.drop_probability, m.drop_probability, kTinyShare);
    check_claim("claim", "ttftP50", claim.ttft_p50_ms, m.ttft_p50_ms);
    check_claim("claim", "ttftP90", claim.ttft_p90_ms, m.ttft_p90_ms);
    check_claim("claim", "ttftP95", claim.ttft_p95_ms, m.ttft_p95_ms);
    check_claim("claim", "ttftP99", claim.ttft_p99_ms, m.ttft_p99_ms);
    check_claim("claim", "powerW", claim.power_w, m.power_w);
  }

  void check_unallocated() {
    std::set<std::string> listed;
    if (claims_->unallocated) {
      for (const std::string& name : *claims_->unallocated) {
        name_ = name;
        if (!listed.insert(name).second) {
          report("duplicate", "listed as unallocated more than once");
          continue;
        }
        if (system_->find_server(name) == nullptr) {
          report("unknown-server", "listed as unallocated, but the system has no such server");
        }
        if (claims_->allocations.contains(name)) {
          report("also-allocated", "listed as unallocated, but has an allocation");
        }
      }
    }
    for (const auto& [name, server] : system_->servers()) {
      if (claims_->allocations.contains(name)) continue;
      ++totals_.outcomes[server.priority(*system_)].unserved;
      if (claims_->unallocated && !listed.contains(name)) {
        name_ = name;
        report("unaccounted", "has no allocation and is not listed as unallocated");
      }
    }
  }

  const System* system_;
  OptimizerSpec optimizer_;
  const PlanClaims* claims_;
  PlanTotals totals_;
  std::string name_;  // of the server being checked; empty: the plan
  std::vector<Violation> violations_;
};

}  // namespace

std::vector<Violation> verify_plan(const System& system, const OptimizerSpec& optimizer,
                                   const PlanClaims& claims) {
  return Verifier(system, optimizer, claims).run();
}

}  // namespace tonnage
