// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Two codes, one answer: what verification reads from the spec against what plans are made of, on
// random fleets with random options. An error in either alone shows here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "host/options/offers.hpp"
#include "host/plan/planning.hpp"
#include "host/verify/limits.hpp"
#include "host/verify/offers.hpp"
#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/host/backends.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/verify.hpp"

namespace tonnage {
namespace {

using testing::claims_of;
using testing::to_text;

constexpr int kFleets = 12;

class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits_() % n); }
  bool one_in(std::int64_t n) { return below(n) == 0; }
  double share() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 bits_;
};

void spread(Random& random, const std::vector<AcceleratorSpec>& accelerators, ServerSpec& server) {
  const auto any = [&]() -> const std::string& {
    return accelerators[random.below(std::ssize(accelerators))].name;
  };
  AllocationSpec& now = server.current_alloc;
  if (random.one_in(3)) {
    now.accelerator = any();
    now.num_replicas = random.below(5);
    now.cost_cents_per_hour = 10000 * random.share();
  }
  if (random.one_in(8)) {
    const std::string a = accelerators[0].name, b = accelerators[1].name;
    now.accelerator = a + std::string(kPartSeparator) + b;
    now.num_replicas = 3;
    now.parts = {{a, 1, 8, 10}, {b, 2, 8, 10}};
  }
  if (random.one_in(6)) now.load.arrival_rate_per_min = 0;
  if (random.one_in(4)) server.min_num_replicas = random.below(4);
  if (random.one_in(5)) server.max_num_replicas = 1 + random.below(6);
  if (random.one_in(6)) server.keep_accelerator = true;
  if (random.one_in(6)) server.excluded_accelerators = {any(), any()};
  if (random.one_in(5)) server.max_batch_size = 1 + random.below(300);
  if (random.one_in(3)) server.max_queue_size = random.below(200);
  if (random.one_in(6)) server.max_num_tokens = 64 + random.below(4096);
}

// Everything that rules look at, at once.
SystemSpec random_fleet(Random& random, std::uint64_t number) {
  const double tightness = 0.4 + 1.2 * random.share();
  SystemSpec spec = testing::small_fleet(tightness, 20 + random.below(20), 6, number);
  for (ServerSpec& server : spec.servers) spread(random, spec.accelerators, server);
  for (ServiceClassSpec& c : spec.service_classes) {
    if (random.one_in(4)) c.excluded_accelerators = {spec.accelerators[2].name};
    for (ModelTargetSpec& target : c.model_targets) {
      if (random.one_in(6)) target.slo_ttft_percentile = 90;
      if (random.one_in(8)) target.slo_e2e_ms = 60000;
      if (random.one_in(8)) target.slo_drop = 0.01;
      if (random.one_in(10)) target.slo_tps = 500 + static_cast<double>(random.below(4000));
    }
  }
  for (ModelPerfSpec& perf : spec.models) {
    if (random.one_in(20)) perf.perf_parms = {};
    if (random.one_in(20)) perf.perf_parms.beta_ms = -1;
    if (random.one_in(5)) perf.acc_count = random.below(4);
  }
  spec.accelerators[0].multiplicity = 2;
  spec.accelerators[3].power.mid_util = 0;
  spec.servers[0].class_name = "nobody";
  return spec;
}

OptimizerSpec random_optimizer(Random& random, OptimizerSpec optimizer, bool limits) {
  constexpr SaturationPolicy kSomePolicies[] = {
      SaturationPolicy::kNone, SaturationPolicy::kPriorityExhaustive,
      SaturationPolicy::kPriorityRoundRobin, SaturationPolicy::kRoundRobin};
  optimizer.saturation_policy = kSomePolicies[random.below(4)];
  optimizer.delayed_best_effort = random.one_in(3);
  optimizer.heterogeneous = !random.one_in(3);
  if (random.one_in(2)) optimizer.headroom = 0.3 * random.share();
  if (random.one_in(2)) optimizer.spare_replicas = 1 + random.below(2);
  if (random.one_in(2)) optimizer.transition_factor = 3 * random.share();
  if (random.one_in(2)) optimizer.energy_price_cents_per_kwh = 40 * random.share();
  if (random.one_in(2)) optimizer.pue = 1 + random.share();
  if (!limits) return optimizer;
  if (!random.one_in(3)) optimizer.max_cost_cents_per_hour = 200000 * random.share();
  if (!random.one_in(3)) optimizer.max_power_w = 100000 * random.share();
  if (!random.one_in(3)) optimizer.max_changes = random.below(20);
  return optimizer;
}

std::string described(const OptimizerSpec& o, BatchMode batch) {
  std::string text = std::string(to_string(batch)) + (o.heterogeneous ? " mixes" : "");
  const auto add = [&](const char* name, double value) {
    text += " " + std::string(name) + " " + std::to_string(value);
  };
  add("headroom", o.headroom);
  add("spare", static_cast<double>(o.spare_replicas));
  add("factor", o.transition_factor);
  add("energy", o.energy_price_cents_per_kwh);
  add("pue", o.pue);
  if (o.max_cost_cents_per_hour) add("cost", *o.max_cost_cents_per_hour);
  if (o.max_power_w) add("power", *o.max_power_w);
  if (o.max_changes) add("changes", static_cast<double>(*o.max_changes));
  return text;
}

// An option of a server in words that both codes can say.
struct Said {
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> parts;  // with batch size
  double cost, value, objective;
  std::vector<std::int64_t> units;            // of limits
  std::map<std::string, std::int64_t> cards;  // by type
};

std::vector<Said> said_by_verification(const verify::Offers& offers, const OptimizerSpec& optimizer,
                                       const System& system, const Server& server) {
  const std::vector<verify::LimitUnits> limits = verify::limit_units(optimizer);
  std::vector<Said> all;
  for (const verify::Offer& offer : offers.of(verify::read_demand(system, server))) {
    Said said{{}, offer.cost, offer.transition.value, offer.objective, {}, {}};
    for (const verify::OfferPart& part : offer.parts) {
      const AcceleratorSpec& accelerator = *part.supply->accelerator;
      said.parts.emplace_back(accelerator.name, part.replicas, part.batch);
      said.cards[accelerator.type] += part.replicas * part.supply->cards;
    }
    said.units = verify::units_taken(optimizer, limits,
                                     {offer.cost, offer.power_w, offer.transition.changed});
    all.push_back(said);
  }
  return all;
}

struct Planned {
  Planned(const System& system, const OptimizerSpec& optimizer, BatchMode batch)
      : problem(build_rows(system, 0)) {
    SearchOptions options;
    options.batch = batch;
    outcomes = select_backend("cpu")->search(problem, options).lines;
    offers = offer_options(problem, optimizer, outcomes, true, 0);
  }

  std::vector<Said> of(std::int64_t s) const {
    const OptionTable& table = offers.table;
    std::vector<Said> all;
    for (std::int64_t o = table.first[s]; o < table.first[s + 1]; ++o) {
      const Option& option = table.options[o];
      Said said{{}, option.cost, option.value, option.objective, {}, {}};
      const auto add = [&](std::int64_t line, std::int64_t replicas) {
        const PerfRow& perf = problem.perfs[problem.lines[line].perf];
        said.parts.emplace_back(problem.accelerators[perf.accelerator].name(), replicas,
                                outcomes[line].max_batch);
      };
      if (option.mix >= 0) {
        for (const Mix::Part& part : table.mixes[option.mix].parts)
          add(part.line, part.num_replicas);
      } else if (option.num_replicas > 0) {
        add(option.line, option.num_replicas);
      }
      if (option.type >= 0) said.cards[problem.type_names[option.type]] += option.cards();
      for (const Use& use : table.uses_of(option)) {
        if (use.resource < std::ssize(table.capacity)) {
          said.cards[problem.type_names[use.resource]] += use.whole;
        } else {
          said.units.push_back(use.whole);
        }
      }
      all.push_back(said);
    }
    return all;
  }

  Problem problem;
  std::vector<LineOutcome> outcomes;
  Offers offers;
};

void expect_close(double a, double b, double scale) {
  EXPECT_NEAR(a, b, 1e-9 * std::max({1.0, std::abs(scale), std::abs(a)}));
}

void expect_same(const Said& ours, const Said& theirs) {
  expect_close(ours.cost, theirs.cost, 0);
  expect_close(ours.value, theirs.value, ours.cost);
  expect_close(ours.objective, theirs.objective, ours.cost);
  EXPECT_EQ(ours.cards, theirs.cards);
  ASSERT_EQ(ours.units.size(), theirs.units.size());
  for (std::size_t l = 0; l < ours.units.size(); ++l) {
    // Amounts that differ by rounding may be a unit apart; changes are counted.
    const std::int64_t rounding = ours.units[l] > 1000 ? 1 : 0;
    EXPECT_LE(std::abs(ours.units[l] - theirs.units[l]), rounding) << "limit " << l;
  }
}

bool beats(const Said& a, const Said& b) {
  return a.objective <= b.objective + 1e-9 * std::max(1.0, b.cost) &&
         std::all_of(a.cards.begin(), a.cards.end(), [&](const auto& need) {
           const auto has = b.cards.find(need.first);
           return has != b.cards.end() && need.second <= has->second;
         });
}

// The planner leaves out mixes that others beat where no limit counts; everything else is the same.
void compare(const std::vector<Said>& ours, const std::vector<Said>& theirs, bool all) {
  std::set<decltype(Said::parts)> found;
  for (const Said& t : theirs) {
    const auto same =
        std::find_if(ours.begin(), ours.end(), [&](const Said& o) { return o.parts == t.parts; });
    ASSERT_NE(same, ours.end()) << "only the planner has an option of " << t.parts.size()
                                << " parts, cost " << t.cost;
    expect_same(*same, t);
    found.insert(t.parts);
  }
  for (const Said& o : ours) {
    if (found.contains(o.parts)) continue;
    const bool beaten =
        !all && o.parts.size() == 2 &&
        std::any_of(theirs.begin(), theirs.end(), [&](const Said& t) { return beats(t, o); });
    EXPECT_TRUE(beaten) << "only verification has an option of " << o.parts.size()
                        << " parts, cost " << o.cost;
  }
}

TEST(VerifyIndependence, BothCodesReadTheSameOptions) {
  Random random(testing::test_seed());
  std::size_t options = 0, mixes = 0;
  for (int fleet = 0; fleet < kFleets; ++fleet) {
    const SystemSpec spec = random_fleet(random, static_cast<std::uint64_t>(fleet));
    const System system(spec);
    const OptimizerSpec optimizer = random_optimizer(random, spec.optimizer, fleet % 2 == 1);
    const BatchMode batch = fleet % 3 == 0 ? BatchMode::kSearch : BatchMode::kMax;
    SCOPED_TRACE("fleet " + std::to_string(fleet) + ": " + described(optimizer, batch));
    const Planned planned(system, optimizer, batch);
    const verify::Offers offers(system, optimizer, batch);
    std::int64_t s = 0;
    for (const auto& [name, server] : system.servers()) {
      SCOPED_TRACE(name);
      const std::vector<Said> ours = said_by_verification(offers, optimizer, system, server);
      compare(ours, planned.of(s++), optimizer.has_limits());
      options += ours.size();
      for (const Said& o : ours) mixes += o.parts.size() == 2 ? 1 : 0;
    }
    const std::vector<verify::LimitUnits> limits = verify::limit_units(optimizer);
    ASSERT_EQ(limits.size(), planned.offers.limits.size());
    for (std::size_t l = 0; l < limits.size(); ++l) {
      EXPECT_EQ(limits[l].name, planned.offers.limits[l].name());
      EXPECT_EQ(limits[l].unit, planned.offers.limits[l].unit);
      EXPECT_EQ(limits[l].offered, planned.offers.table.limits[l]);
    }
  }
  EXPECT_GT(options, 0U);
  EXPECT_GT(mixes, 0U);
}

TEST(VerifyIndependence, BothCodesReadTheSameCandidates) {
  Random random(testing::test_seed() + 1);
  for (int fleet = 0; fleet < kFleets; ++fleet) {
    const SystemSpec spec = random_fleet(random, static_cast<std::uint64_t>(fleet));
    const System system(spec);
    PlannerOptions options;
    options.batch = fleet % 2 == 0 ? BatchMode::kSearch : BatchMode::kMax;
    const verify::Offers offers(system, {}, options.batch);
    std::map<std::string, std::vector<Candidate>> stated;
    for (const Candidate& c : list_candidates(system, {}, options)) stated[c.server].push_back(c);
    for (const auto& [name, server] : system.servers()) {
      SCOPED_TRACE("fleet " + std::to_string(fleet) + ", " + name);
      const std::vector<verify::Offer> ours = offers.of(verify::read_demand(system, server));
      ASSERT_EQ(ours.size(), stated[name].size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        const Candidate& theirs = stated[name][i];
        expect_close(ours[i].cost, theirs.allocation.cost_cents_per_hour, 0);
        expect_close(ours[i].transition.value, theirs.value, ours[i].cost);
        ASSERT_EQ(ours[i].parts.empty(), theirs.accelerator.empty());
        if (ours[i].parts.empty()) continue;
        EXPECT_EQ(ours[i].parts[0].supply->accelerator->name, theirs.accelerator);
        EXPECT_EQ(ours[i].parts[0].replicas, theirs.allocation.num_replicas);
        EXPECT_EQ(ours[i].parts[0].batch, theirs.allocation.max_batch);
      }
    }
  }
}

TEST(VerifyIndependence, PlansOfEverySolverHold) {
  Random random(testing::test_seed() + 2);
  std::map<std::string, int> plans;
  for (int fleet = 0; fleet < kFleets; ++fleet) {
    const SystemSpec spec = random_fleet(random, static_cast<std::uint64_t>(fleet));
    const System system(spec);
    OptimizerSpec optimizer = random_optimizer(random, spec.optimizer, fleet % 2 == 1);
    optimizer.unlimited = fleet % 4 == 3;
    PlannerOptions options;
    options.batch = fleet % 3 == 0 ? BatchMode::kSearch : BatchMode::kMax;
    options.time_limit_s = 1;
    SCOPED_TRACE("fleet " + std::to_string(fleet) + ": " + described(optimizer, options.batch));
    for (const Solver solver :
         {Solver::kUnlimited, Solver::kGreedy, Solver::kPrice, Solver::kMilp}) {
      SCOPED_TRACE(to_string(solver));
      OptimizerSpec asked = optimizer;
      if (solver == Solver::kUnlimited) {
        if (optimizer.has_limits()) continue;
        asked.unlimited = true;
      }
      options.solver = solver;
      Plan plan;
      try {
        plan = make_plan(system, asked, options);
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ErrorCode::kUnavailable) << error.what();
        continue;
      }
      EXPECT_EQ(to_text(verify_plan(system, asked, claims_of(plan))), "");
      ++plans[plan.summary.solver];
    }
  }
  EXPECT_GE(plans.size(), 3U);
}

}  // namespace
}  // namespace tonnage
