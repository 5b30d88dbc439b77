// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Checks of one claimed allocation: what it is placed on, its replicas, value and metrics.
#include "host/verify/allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "host/verify/totals.hpp"
#include "host/verify/truth.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/core/queueing.hpp"

namespace tonnage::verify {
namespace {

// Where latency hardly depends on the rate, searches that stop at different tolerances end far
// apart: the largest rate is compared more loosely than other claims.
constexpr double kRateClaimTolerance = 1e-2;
// Probabilities and utilisations below this count as 0.
constexpr double kTinyShare = 1e-6;

class AllocationCheck {
 public:
  AllocationCheck(const System& system, const OptimizerSpec& optimizer, const Demand& demand,
                  const AllocationClaims& claim, const ReportViolation& report)
      : system_(system),
        optimizer_(optimizer),
        demand_(demand),
        server_(*demand.server),
        claim_(claim),
        report_(report) {}

  AllocationTruth run() {
    truth_.partial = claim_.partial.value_or(false);
    if (demand_.kind == Demand::Kind::kUnplannable) {
      report("unplannable", "has an allocation, although {}", demand_.problem);
    }
    if (!claim_.accelerator || !claim_.num_replicas) {
      report("incomplete", "the allocation does not state its {}",
             claim_.accelerator ? "numReplicas" : "accelerator");
    } else if (!claim_.parts.empty()) {
      check_combined();
    } else if (claim_.accelerator->empty()) {
      check_empty();
    } else {
      check_single(*claim_.accelerator, *claim_.num_replicas);
    }
    return truth_;
  }

 private:
  template <class... Args>
  void report(const char* kind, fmt::format_string<Args...> format, Args&&... args) {
    report_(kind, fmt::format(format, std::forward<Args>(args)...));
  }

  void check_claim(const char* field, const std::optional<double>& claimed, double truth,
                   double scale = 0, double tolerance = kClaimTolerance) {
    if (!claim_holds(claimed, truth, scale, tolerance)) {
      report("claim", "{}", claim_text(field, *claimed, truth));
    }
  }

  void set_value(double value) {
    truth_.value_known = true;
    truth_.value = value;
  }

  void check_combined() {
    const MixTruth mix = check_mix(system_, optimizer_, demand_, claim_, report_);
    if (!mix.placed) return;
    truth_.cost_known = true;
    truth_.cost = mix.cost;
    truth_.transition = mix.transition;
    set_value(mix.transition.value);
    truth_.cards = mix.cards;
    if (mix.sized) check_metrics(mix.metrics);
  }

  void check_empty() {
    truth_.cost_known = true;
    truth_.transition = transition_to(server_, "", 0, 0);
    set_value(truth_.transition.value);
    if (*claim_.num_replicas != 0) {
      report("zero-load", "{} on no accelerator", counted(*claim_.num_replicas, "replica"));
    }
    if (demand_.kind == Demand::Kind::kLoaded || demand_.kind == Demand::Kind::kIdle) {
      report("zero-load", "the allocation is empty, although the server {}",
             demand_.kind == Demand::Kind::kLoaded ? "has load"
                                                   : "must keep a minimum number of replicas");
    } else if (demand_.kind == Demand::Kind::kEmpty && !may_be_empty()) {
      report("no-perf-data", "no accelerator it may use has performance data for its model");
    }
    if (truth_.partial) report("partial", "marked as partial, but it is empty");
    check_metrics({});
  }

  bool may_be_empty() const {
    const auto& perfs = system_.find_model(server_.model)->perfs();
    return std::any_of(perfs.begin(), perfs.end(), [&](const auto& entry) {
      const auto& [name, data] = entry;
      if (must_stay(server_) && name != server_.current_alloc.accelerator) return false;
      if (excludes(system_, server_, name)) return false;
      const Accelerator* accelerator = system_.find_accelerator(name);
      return accelerator != nullptr && read_supply(accelerator->spec(), data).has_value();
    });
  }

  void check_single(const std::string& name, std::int64_t replicas) {
    const Accelerator* accelerator = system_.find_accelerator(name);
    if (accelerator == nullptr) {
      report("unknown-accelerator", "the system has no accelerator \"{}\"", name);
      return;
    }
    if (excludes(system_, server_, name)) {
      report("excluded", "\"{}\" is excluded by the server or its class", name);
    }
    const std::string& current = server_.current_alloc.accelerator;
    if (must_stay(server_) && name != current) {
      report("keep-accelerator", "must stay on \"{}\", the plan moves it to \"{}\"", current, name);
    }
    const Model* model = system_.find_model(server_.model);
    const ModelPerfSpec* data = model == nullptr ? nullptr : model->find_perf(name);
    if (data == nullptr) {
      report("no-perf-data", "the model \"{}\" has no performance data on \"{}\"", server_.model,
             name);
      return;
    }
    const std::optional<Supply> supply = read_supply(accelerator->spec(), *data);
    if (!supply) {
      report("perf-data", "the performance data of \"{}\" on \"{}\" is out of range", server_.model,
             name);
      return;
    }
    check_placed(*supply, replicas);
  }

  void check_placed(const Supply& supply, std::int64_t replicas) {
    if (replicas < 1 || replicas > kMaxReplicas) {
      report("replicas", "{}, expected 1 to {}", counted(replicas, "replica"), kMaxReplicas);
      return;
    }
    truth_.cost_known = true;
    truth_.cost = supply.cost * static_cast<double>(replicas);
    truth_.cards.push_back({supply.accelerator->type, replicas * supply.cards, truth_.cost});
    truth_.transition = transition_to(server_, supply.accelerator->name, replicas, truth_.cost);
    if (demand_.kind == Demand::Kind::kUnplannable) return;
    if (replicas < server_.min_num_replicas && !truth_.partial) {
      report("min-replicas", "{}, at least {} wanted", counted(replicas, "replica"),
             server_.min_num_replicas);
    }
    if (server_.max_num_replicas > 0 && replicas > server_.max_num_replicas) {
      report("max-replicas", "{}, at most {} allowed", counted(replicas, "replica"),
             server_.max_num_replicas);
    }
    if (!claim_.max_batch) {
      report("incomplete", "the allocation does not state its maxBatch");
    } else if (demand_.kind == Demand::Kind::kLoaded) {
      check_loaded(supply, replicas, *claim_.max_batch);
    } else {
      check_idle(supply, replicas, *claim_.max_batch);
    }
  }

  void check_idle(const Supply& supply, std::int64_t replicas, std::int64_t claimed_batch) {
    const std::int64_t batch = batch_ceiling(demand_, supply);
    if (claimed_batch != batch) {
      report("batch", "batch size {}, without load it is {}", claimed_batch, batch);
      return;
    }
    if (replicas > server_.min_num_replicas) {
      report("zero-load", "{} without load, the minimum is {}", counted(replicas, "replica"),
             server_.min_num_replicas);
    }
    finish_value(supply, replicas, server_.min_num_replicas);
    check_metrics(idle_truth(demand_, supply, batch, replicas));
  }

  void check_loaded(const Supply& supply, std::int64_t replicas, std::int64_t batch) {
    const std::int64_t ceiling = batch_ceiling(demand_, supply);
    if (batch < 1 || batch > ceiling) {
      report("batch", "batch size {}, expected 1 to {}", batch, ceiling);
      return;
    }
    if (!can_serve(demand_, supply)) {
      report("perf-data",
             "all parameters of the performance data are 0 or below 1e-100 ms, or "
             "the batch size it gives is beyond {}",
             kMaxBatchSize);
      return;
    }
    const QueueShape shape = replica_queue(demand_, supply, batch);
    const double rate = demand_.rate_per_ms / static_cast<double>(replicas);
    const QueueMetrics m = evaluate_queue(shape.service, batch, shape.max_queue, rate);
    // ITL may fall as the rate rises; below the range the targets need not hold.
    const bool in_range =
        demand_.rate_per_ms >= rate_range(shape, false).low_per_ms * static_cast<double>(replicas);
    if (!truth_.partial && in_range) {
      for (const MissedTarget& missed : missed_targets(demand_.targets, m, shape.max_queue)) {
        report(missed.kind, "{}", missed.message);
      }
    }
    const RateSearch<double> found = size_pair(shape, demand_.targets, demand_.has_tps_target);
    if (!found.feasible) {
      if (!slackly_enough(shape, replicas)) {
        report("infeasible", "no rate keeps the targets at batch size {}", batch);
      }
      return;
    }
    if (!check_replicas(supply, shape, replicas, found.throughput_per_ms)) return;
    check_metrics(loaded_truth(supply, shape, m, found.throughput_per_ms, replicas));
  }

  // Whether metrics are worth a look: what other solvers state of replicas that do not suffice is
  // left as it was.
  bool check_replicas(const Supply& supply, const QueueShape& shape, std::int64_t replicas,
                      double goodput_per_ms) {
    const std::optional<std::int64_t> needed = needed_replicas(goodput_per_ms);
    const bool enough = needed && replicas >= *needed;
    if (!enough && !truth_.partial) {
      // Another search may have stopped elsewhere within the tolerance of the targets.
      if (slackly_enough(shape, replicas)) {
        set_value(truth_.transition.value);
        return true;
      }
      report("replicas", "within the targets {} can carry {:.6g} of {:.6g} requests/min; {}",
             counted(replicas, "replica"),
             goodput_per_ms * static_cast<double>(replicas) * kMsPerMinute,
             demand_.rate_per_ms * kMsPerMinute,
             needed ? fmt::format("needed: {}", *needed)
                    : std::string("no permitted number suffices"));
      truth_.partial = true;
      return false;
    }
    if (!needed) {
      report("replicas", "no permitted number of replicas meets the targets");
      return true;
    }
    if (server_.max_num_replicas > 0 && *needed > server_.max_num_replicas) {
      report("max-replicas", "the targets need {}, at most {} allowed", counted(*needed, "replica"),
             server_.max_num_replicas);
    }
    const std::int64_t wanted = *needed + optimizer_.spare_replicas;
    if (!truth_.partial && replicas < wanted) {
      report("spare-replicas", "{}, {} needed and {} wanted to spare", counted(replicas, "replica"),
             *needed, optimizer_.spare_replicas);
    }
    finish_value(supply, replicas, truth_.partial ? wanted : *needed);
    return true;
  }

  // The minimum of the server included; absent where no number is enough.
  std::optional<std::int64_t> needed_replicas(double goodput_per_ms) const {
    std::optional<std::int64_t> needed = replicas_for(demand_.rate_per_ms, goodput_per_ms);
    if (needed) needed = std::max(*needed, server_.min_num_replicas);
    return needed;
  }

  // Whether the replicas suffice when the targets are taken at the end of their tolerance.
  bool slackly_enough(const QueueShape& shape, std::int64_t replicas) const {
    const RateSearch<double> found =
        size_pair(shape, loosened(demand_.targets, kTargetSlack), demand_.has_tps_target);
    if (!found.feasible) return false;
    const std::optional<std::int64_t> needed = needed_replicas(found.throughput_per_ms);
    return needed && replicas >= *needed;
  }

  // The value, which scales with the replicas granted, and whether the partial mark is right.
  void finish_value(const Supply& supply, std::int64_t replicas, std::int64_t needed) {
    if (truth_.partial && replicas >= needed) {
      report("partial", "marked as partial, although {} would do", counted(needed, "replica"));
      truth_.partial = false;
    }
    if (replicas >= needed) {
      set_value(truth_.transition.value);
      return;
    }
    const double whole = transition_to(server_, supply.accelerator->name, needed,
                                       supply.cost * static_cast<double>(needed))
                             .value;
    set_value(whole * static_cast<double>(replicas) / static_cast<double>(needed));
  }

  void check_metrics(const AllocationMetrics& m) {
    truth_.power_known = true;
    truth_.power_w = m.power_w;
    check_claim("itlAverage", claim_.itl_average_ms, m.itl_ms);
    check_claim("ttftAverage", claim_.ttft_average_ms, m.ttft_ms);
    check_claim("respTimeAverage", claim_.response_ms, m.response_ms);
    check_claim("rho", claim_.rho, m.rho, kTinyShare);
    check_claim("maxRPM", claim_.max_rpm, m.max_rate_per_replica_per_ms * kMsPerMinute, 0,
                kRateClaimTolerance);
    check_claim("dropProbability", claim_.drop_probability, m.drop_probability, kTinyShare);
    check_claim("ttftP50", claim_.ttft_p50_ms, m.ttft_p50_ms);
    check_claim("ttftP90", claim_.ttft_p90_ms, m.ttft_p90_ms);
    check_claim("ttftP95", claim_.ttft_p95_ms, m.ttft_p95_ms);
    check_claim("ttftP99", claim_.ttft_p99_ms, m.ttft_p99_ms);
    check_claim("powerW", claim_.power_w, m.power_w);
  }

  const System& system_;
  const OptimizerSpec& optimizer_;
  const Demand& demand_;
  const ServerSpec& server_;
  const AllocationClaims& claim_;
  const ReportViolation& report_;
  AllocationTruth truth_;
};

}  // namespace

AllocationTruth check_allocation(const System& system, const OptimizerSpec& optimizer,
                                 const Demand& demand, const AllocationClaims& claim,
                                 const ReportViolation& report) {
  return AllocationCheck(system, optimizer, demand, claim, report).run();
}

}  // namespace tonnage::verify
