// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Checks of the parts of a claimed combination, and of what they carry together.
#include "host/verify/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "host/verify/truth.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/core/queueing.hpp"
#include "tonnage/core/sizing.hpp"
#include "tonnage/host/verify.hpp"

namespace tonnage::verify {
namespace {

constexpr double kCarriedSlack = 1e-9;

struct Part {
  const AllocationPart* claim;
  Supply supply;
  QueueShape shape;
  double goodput_per_ms;  // of a replica
};

class MixCheck {
 public:
  MixCheck(const System& system, const OptimizerSpec& optimizer, const Demand& demand,
           const AllocationClaims& claim, const ReportViolation& report)
      : system_(system),
        optimizer_(optimizer),
        demand_(demand),
        server_(*demand.server),
        claim_(claim),
        report_(report) {}

  MixTruth run() {
    MixTruth truth;
    if (!optimizer_.heterogeneous) {
      report_("mixed", "accelerators are combined, which the optimizer section does not allow");
    }
    if (claim_.parts.size() < 2) report_("mixed", "a combination of one accelerator");
    if (claim_.partial.value_or(false)) report_("partial", "a combination is never partial");
    if (demand_.kind != Demand::Kind::kLoaded) {
      report_("zero-load", "accelerators are combined, although the server has no load");
      return truth;
    }
    for (const AllocationPart& part : claim_.parts) {
      if (!add(part)) return truth;
    }
    place(truth);
    if (size()) measure(truth);
    return truth;
  }

 private:
  bool add(const AllocationPart& claim) {
    const Accelerator* accelerator = system_.find_accelerator(claim.accelerator);
    if (accelerator == nullptr) {
      report_("unknown-accelerator",
              fmt::format("the system has no accelerator \"{}\"", claim.accelerator));
      return false;
    }
    if (excludes(system_, server_, claim.accelerator)) {
      report_("excluded",
              fmt::format("\"{}\" is excluded by the server or its class", claim.accelerator));
    }
    if (must_stay(server_)) {
      report_("keep-accelerator",
              fmt::format("must stay on \"{}\" alone", server_.current_alloc.accelerator));
    }
    if (!combined_.insert(claim.accelerator).second) {
      report_("mixed", fmt::format("\"{}\" is combined with itself", claim.accelerator));
      return false;
    }
    const Model* model = system_.find_model(server_.model);
    const ModelPerfSpec* spec = model == nullptr ? nullptr : model->find_perf(claim.accelerator);
    const std::optional<Supply> supply =
        spec == nullptr ? std::nullopt : read_supply(accelerator->spec(), *spec);
    if (!supply || !can_serve(demand_, *supply)) {
      report_("no-perf-data",
              fmt::format("no valid performance data on \"{}\"", claim.accelerator));
      return false;
    }
    const std::int64_t ceiling = batch_ceiling(demand_, *supply);
    if (claim.num_replicas < 1 || claim.num_replicas > kMaxReplicas) {
      report_("replicas", fmt::format("{} of a part, expected 1 to {}",
                                      counted(claim.num_replicas, "replica"), kMaxReplicas));
      return false;
    }
    if (claim.max_batch < 1 || claim.max_batch > ceiling) {
      report_("batch", fmt::format("batch size {}, expected 1 to {}", claim.max_batch, ceiling));
      return false;
    }
    parts_.push_back({&claim, *supply, replica_queue(demand_, *supply, claim.max_batch), 0});
    return true;
  }

  void place(MixTruth& truth) {
    std::vector<Holding> holdings;
    std::int64_t replicas = 0;
    for (const Part& part : parts_) {
      const std::int64_t n = part.claim->num_replicas;
      const double cost = part.supply.cost * static_cast<double>(n);
      truth.cost += cost;
      truth.cards.push_back({part.supply.accelerator->type, n * part.supply.cards, cost});
      holdings.emplace_back(part.claim->accelerator, n);
      replicas += n;
      if (std::abs(part.claim->cost_cents_per_hour - cost) >
          kClaimTolerance * std::max(1e-6, cost)) {
        report_("cost",
                fmt::format("the cost of \"{}\" is stated as {:.6g}, it is {:.6g}",
                            part.claim->accelerator, part.claim->cost_cents_per_hour, cost));
      }
    }
    if (claim_.num_replicas && *claim_.num_replicas != replicas) {
      report_("replicas", fmt::format("numReplicas is stated as {}, the parts have {}",
                                      *claim_.num_replicas, replicas));
    }
    if (replicas < server_.min_num_replicas) {
      report_("min-replicas", fmt::format("{}, at least {} wanted", counted(replicas, "replica"),
                                          server_.min_num_replicas));
    }
    if (server_.max_num_replicas > 0 && replicas > server_.max_num_replicas) {
      report_("max-replicas", fmt::format("{}, at most {} allowed", counted(replicas, "replica"),
                                          server_.max_num_replicas));
    }
    truth.transition = transition_to(server_, holdings, truth.cost);
    truth.placed = true;
  }

  // What the replicas carry within targets as far as these hold to within `slack`; below 0 where
  // one carries nothing.
  double carried(double slack, bool keep) {
    double sum = 0, largest = 0;
    for (Part& part : parts_) {
      const RateSearch<double> found =
          size_pair(part.shape, loosened(demand_.targets, slack), demand_.has_tps_target);
      if (!found.feasible) return -1;
      if (keep) part.goodput_per_ms = found.throughput_per_ms;
      largest = std::max(largest, found.throughput_per_ms);
      sum += found.throughput_per_ms * static_cast<double>(part.claim->num_replicas);
    }
    return sum - largest * static_cast<double>(optimizer_.spare_replicas);
  }

  bool size() {
    const double wanted = demand_.rate_per_ms * (1 - kCarriedSlack);
    const double exact = carried(0, true);
    if (exact < 0) {
      report_("infeasible", "no rate keeps the targets on one of the accelerators");
      return false;
    }
    if (exact < wanted && carried(kTargetSlack, false) < wanted) {
      report_("replicas",
              fmt::format("the parts carry {:.6g} of {:.6g} requests/min within the targets{}",
                          exact * kMsPerMinute, demand_.rate_per_ms * kMsPerMinute,
                          optimizer_.spare_replicas > 0 ? ", spare replicas aside" : ""));
    }
    return true;
  }

  void measure(MixTruth& truth) {
    double all = 0;
    for (const Part& part : parts_) {
      all += part.goodput_per_ms * static_cast<double>(part.claim->num_replicas);
    }
    std::vector<PartTruth> parts;
    for (const Part& part : parts_) {
      const double rate = demand_.rate_per_ms * part.goodput_per_ms / all;
      const QueueMetrics m =
          evaluate_queue(part.shape.service, part.shape.max_batch, part.shape.max_queue, rate);
      const std::int64_t n = part.claim->num_replicas;
      parts.push_back({rate * static_cast<double>(n) / demand_.rate_per_ms, n,
                       loaded_truth(part.supply, part.shape, m, part.goodput_per_ms, n)});
      // ITL may fall as the rate rises; below the range the targets need not hold.
      if (rate < rate_range(part.shape, false).low_per_ms) continue;
      for (const MissedTarget& missed : missed_targets(demand_.targets, m, part.shape.max_queue)) {
        report_(missed.kind, part.claim->accelerator + ": " + missed.message);
      }
    }
    truth.metrics = combined_truth(parts);
    truth.sized = true;
  }

  const System& system_;
  const OptimizerSpec& optimizer_;
  const Demand& demand_;
  const ServerSpec& server_;
  const AllocationClaims& claim_;
  const ReportViolation& report_;
  std::vector<Part> parts_;
  std::set<std::string_view> combined_;  // accelerators of the parts
};

}  // namespace

MixTruth check_mix(const System& system, const OptimizerSpec& optimizer, const Demand& demand,
                   const AllocationClaims& claim, const ReportViolation& report) {
  return MixCheck(system, optimizer, demand, claim, report).run();
}

}  // namespace tonnage::verify
