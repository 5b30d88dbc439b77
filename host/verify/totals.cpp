// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Checks of what a plan states as a whole: capacity, limits, summary and certificate.
#include "host/verify/totals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/verify/bounds.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage::verify {
namespace {

// Rounding in bounds: servers, or shares of the plan's cost.
constexpr double kBoundSlack = 1e-6;
// Rounding in sums over the servers, as a share of the limit: a limit of 0 has none.
constexpr double kLimitSlack = 1e-9;
// Rounding in the share of the cards that may be used.
constexpr double kShareSlack = 1e-12;

class TotalsCheck {
 public:
  TotalsCheck(const System& system, const OptimizerSpec& optimizer, const PlanTotals& totals)
      : system_(system), optimizer_(optimizer), totals_(totals) {}

  std::vector<PlanViolation> run(const PlanClaims& claims, bool sound) {
    if (!optimizer_.unlimited) check_capacity();
    check_limits();
    if (claims.summary) check_summary(*claims.summary);
    if (claims.summary && !claims.summary->stages.empty() && sound && violations_.empty()) {
      check_stages(*claims.summary);
    }
    return std::move(violations_);
  }

 private:
  template <class... Args>
  void report(const char* kind, fmt::format_string<Args...> format, Args&&... args) {
    violations_.push_back({kind, fmt::format(format, std::forward<Args>(args)...)});
  }

  void check_claim(const char* kind, const std::string& field, const std::optional<double>& claimed,
                   double truth, double scale = 0, double tolerance = kClaimTolerance) {
    if (claim_holds(claimed, truth, scale, tolerance)) return;
    report(kind, "{}", claim_text(field, *claimed, truth));
  }

  void check_count(const std::string& field, const std::optional<std::int64_t>& claimed,
                   std::int64_t truth) {
    if (!claimed || *claimed == truth) return;
    report("summary", "{} is stated as {}, it is {}", field, *claimed, truth);
  }

  void check_capacity() {
    for (const auto& [type, total] : totals_.types) {
      const std::int64_t limit = system_.capacity(type).value_or(0);
      if (total.used > 0 && total.used <= limit && optimizer_.headroom > 0 &&
          static_cast<double>(total.used) >
              static_cast<double>(limit) * (1 - optimizer_.headroom) * (1 + kShareSlack)) {
        report("headroom", "{} of {} of type \"{}\" used, a share of {} is to be left", total.used,
               counted(limit, "card"), type, optimizer_.headroom);
      }
      if (total.used <= limit) continue;
      report("capacity", "{} of type \"{}\" used, there {} {}", counted(total.used, "card"), type,
             limit == 1 ? "is" : "are", limit);
    }
  }

  void check_limits() {
    const auto check = [&](const char* kind, const char* what, double used, double limit) {
      if (used <= limit * (1 + kLimitSlack)) return;
      report(kind, "{:.9g} {}, the limit is {:.9g}", used, what, limit);
    };
    if (optimizer_.max_cost_cents_per_hour && totals_.costs_known) {
      check("max-cost", "cents/hour", totals_.cost, *optimizer_.max_cost_cents_per_hour);
    }
    if (optimizer_.max_power_w && totals_.power_known) {
      check("max-power", "watts", totals_.power_w, *optimizer_.max_power_w);
    }
    if (optimizer_.max_changes) {
      check("max-changes", "servers allocated otherwise than now",
            static_cast<double>(totals_.changes), static_cast<double>(*optimizer_.max_changes));
    }
  }

  void check_limit_claims(const std::map<std::string, double>& claimed) {
    for (const auto& [name, used] : claimed) {
      const std::string where = "limits." + name + ".used";
      if (name == "maxCost" && totals_.costs_known) {
        check_claim("summary", where, used, totals_.cost);
      } else if (name == "maxPower" && totals_.power_known) {
        check_claim("summary", where, used, totals_.power_w);
      } else if (name == "maxChanges") {
        check_claim("summary", where, used, static_cast<double>(totals_.changes));
      }
    }
  }

  void check_summary(const SummaryClaims& summary) {
    check_limit_claims(summary.limits);
    if (totals_.costs_known) {
      check_claim("summary", "totalCost", summary.total_cost, totals_.cost);
      if (totals_.values_known) {
        check_claim("summary", "totalValue", summary.total_value, totals_.value, totals_.cost);
      }
      if (summary.types) check_types(*summary.types);
    }
    if (summary.priorities) check_priorities(*summary.priorities);
  }

  void check_types(const std::map<std::string, TypeClaims>& claimed) {
    for (const auto& [type, claim] : claimed) {
      const auto it = totals_.types.find(type);
      if (it == totals_.types.end()) {
        report("summary", "the system has no accelerator type \"{}\"", type);
        continue;
      }
      const std::string where = "types." + type + ".";
      check_count(where + "used", claim.used, it->second.used);
      check_claim("summary", where + "cost", claim.cost, it->second.cost);
      const std::optional<std::int64_t> limit = system_.capacity(type);
      if (limit) {
        check_count(where + "limit", claim.limit, *limit);
      } else if (claim.limit) {
        report("summary", "{}limit is stated as {}, there is no capacity entry", where,
               *claim.limit);
      }
    }
    for (const auto& [type, total] : totals_.types) {
      if (total.used > 0 && !claimed.contains(type)) {
        report("summary", "the type \"{}\" is missing, {} of it used", type,
               counted(total.used, "card"));
      }
    }
  }

  void check_priorities(const std::map<int, PriorityClaims>& claimed) {
    for (const auto& [priority, claim] : claimed) {
      const PriorityOutcome truth =
          totals_.outcomes.contains(priority) ? totals_.outcomes.at(priority) : PriorityOutcome{};
      const std::string where = fmt::format("priorities.{}.", priority);
      check_count(where + "served", claim.served, truth.served);
      check_count(where + "partial", claim.partial, truth.partial);
      check_count(where + "unserved", claim.unserved, truth.unserved);
    }
    for (const auto& [priority, truth] : totals_.outcomes) {
      if (!claimed.contains(priority)) {
        report("summary", "the priority {} of {} is missing", priority,
               counted(truth.served + truth.partial + truth.unserved, "server"));
      }
    }
  }

  void check_stages(const SummaryClaims& summary) {
    const BoundCheck check(system_, optimizer_,
                           summary.batch_search ? BatchMode::kSearch : BatchMode::kMax,
                           summary.stages);
    StageTruth truth;
    truth.objective = totals_.whole_objective;
    for (const auto& [name, server] : system_.servers()) {
      if (!check.has_candidates(name)) continue;
      const int priority = read_demand(system_, server).priority;
      ++(totals_.whole.contains(name) ? truth.served : truth.unserved)[priority];
    }
    for (std::size_t k = 0; k < summary.stages.size(); ++k) {
      check_stage(k, summary.stages[k], truth, check);
    }
    const StageClaims& last = summary.stages.back();
    if (summary.gap && last.objective && last.lower_bound && totals_.cost > 0) {
      check_claim("certificate", "gap", summary.gap,
                  (*last.objective - *last.lower_bound) / totals_.cost, 1e-9);
    }
  }

  void check_stage(std::size_t index, const StageClaims& stage, const StageTruth& truth,
                   const BoundCheck& check) {
    const std::string where = stage.priority
                                  ? fmt::format("the stage of priority {}", *stage.priority)
                                  : std::string("the stage of value");
    const double scale = stage.priority ? 1 : std::max(1.0, totals_.cost);
    double objective = truth.objective;
    if (stage.priority) {
      const auto found = truth.unserved.find(*stage.priority);
      objective = found == truth.unserved.end() ? 0 : static_cast<double>(found->second);
    }
    if (!claim_holds(stage.objective, objective, scale)) {
      report("certificate", "the objective of {} is stated as {:.6g}, it is {:.6g}", where,
             *stage.objective, objective);
    }
    if (!stage.lower_bound) return;
    const double slack = kBoundSlack * scale;
    if (*stage.lower_bound > objective + slack) {
      report("certificate", "the bound of {} is stated as {:.9g}, the plan itself has {:.9g}",
             where, *stage.lower_bound, objective);
    }
    if (stage.proven && *stage.proven && *stage.lower_bound < objective - slack) {
      report("certificate", "{} is stated as proven, between {:.9g} and {:.9g}", where,
             *stage.lower_bound, objective);
    }
    if (stage.type_prices.empty()) return;
    double bound = check.bound(index, truth);
    if (stage.priority) bound = std::ceil(bound - slack);  // servers are whole
    const double claimed = stage.price_bound.value_or(*stage.lower_bound);
    if (claimed > bound + slack) {
      report("certificate", "the bound of {} by its prices is stated as {:.9g}, they prove {:.9g}",
             where, claimed, bound);
    }
  }

  const System& system_;
  const OptimizerSpec& optimizer_;
  const PlanTotals& totals_;
  std::vector<PlanViolation> violations_;
};

}  // namespace

bool claim_holds(const std::optional<double>& claimed, double truth, double scale,
                 double tolerance) {
  return !claimed || std::fabs(*claimed - truth) <= tolerance * std::max(std::fabs(truth), scale);
}

std::string claim_text(const std::string& field, double claimed, double truth) {
  return fmt::format("{} is stated as {:.6g}, it is {:.6g}", field, claimed, truth);
}

std::vector<PlanViolation> check_totals(const System& system, const OptimizerSpec& optimizer,
                                        const PlanClaims& claims, const PlanTotals& totals,
                                        bool sound) {
  return TotalsCheck(system, optimizer, totals).run(claims, sound);
}

}  // namespace tonnage::verify
