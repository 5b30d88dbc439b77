// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Verification of whole plans: our own hold with every policy, published ones do but for what they
// leave out, and certificates that claim too much are caught.
#include "tonnage/host/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "support/claims.hpp"
#include "support/fleet.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/io/plan_io.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage {
namespace {

using Json = nlohmann::json;
using testing::claims_of;
using testing::kinds;
using testing::to_text;

TEST(Verify, OwnPlansHaveNoViolations) {
  for (const double tightness : {0.3, 0.8, 1.0, 2.0}) {
    SystemSpec spec = testing::small_fleet(tightness, 150);
    // Some servers without load, with and without a minimum.
    for (std::size_t i = 0; i < spec.servers.size(); i += 7) {
      spec.servers[i].current_alloc.load.arrival_rate_per_min = 0;
      spec.servers[i].min_num_replicas = static_cast<std::int64_t>(i % 3);
    }
    const System system(spec);
    for (const SaturationPolicy policy :
         {SaturationPolicy::kNone, SaturationPolicy::kPriorityExhaustive,
          SaturationPolicy::kPriorityRoundRobin, SaturationPolicy::kRoundRobin}) {
      spec.optimizer.saturation_policy = policy;
      const Plan plan = make_plan(system, spec.optimizer);
      EXPECT_EQ(to_text(verify_plan(system, spec.optimizer, claims_of(plan))), "");
    }
    spec.optimizer.unlimited = true;
    const Plan plan = make_plan(system, spec.optimizer);
    EXPECT_EQ(to_text(verify_plan(system, spec.optimizer, claims_of(plan))), "");
  }
}

TEST(Verify, HeadroomAndSpareReplicas) {
  SystemSpec spec = testing::small_fleet(1.0, 150);
  const System system(spec);
  const OptimizerSpec plain = spec.optimizer;
  OptimizerSpec careful = plain;
  careful.headroom = 0.15;
  careful.spare_replicas = 1;
  careful.saturation_policy = SaturationPolicy::kPriorityExhaustive;
  for (const Solver solver : {Solver::kPrice, Solver::kGreedy}) {
    SCOPED_TRACE(to_string(solver));
    PlannerOptions options;
    options.solver = solver;
    const Plan plan = make_plan(system, careful, options);
    EXPECT_EQ(to_text(verify_plan(system, careful, claims_of(plan))), "");
    for (const TypeUsage& t : plan.summary.types) {
      EXPECT_LE(static_cast<double>(t.used),
                0.85 * static_cast<double>(t.limit.value_or(0)) + 1e-9);
    }
    // A plan that does without is caught.
    const std::set<std::string> found =
        kinds(verify_plan(system, careful, claims_of(make_plan(system, plain, options))));
    EXPECT_TRUE(found.contains("headroom"));
    EXPECT_TRUE(found.contains("spare-replicas"));
  }
}

// Plans under scarcity carry certificates; claims beyond what their prices prove are caught.
TEST(Verify, CertificatesThatClaimTooMuch) {
  const SystemSpec spec = testing::small_fleet(0.6, 300);
  const System system(spec);
  PlannerOptions options;
  options.solver = Solver::kPrice;
  const Json honest = Json::parse(plan_to_json(make_plan(system, spec.optimizer, options)));
  const auto check = [&](const std::function<void(Json&)>& spoil) {
    Json plan = honest;
    spoil(plan.at("summary"));
    const PlanReadResult read = read_plan_from_string(plan.dump(), "plan");
    EXPECT_TRUE(read.ok()) << read.diagnostics.to_text();
    return verify_plan(system, spec.optimizer, read.claims);
  };
  EXPECT_EQ(to_text(check([](Json&) {})), "");
  const std::set<std::string> caught{"certificate"};
  int with_prices = 0;
  for (std::size_t k = 0; k < honest.at("summary").at("stages").size(); ++k) {
    SCOPED_TRACE(k);
    EXPECT_EQ(kinds(check([k](Json& s) {
                Json& objective = s.at("stages")[k].at("objective");
                objective = objective.get<double>() + 1e6;
              })),
              caught);
    EXPECT_EQ(kinds(check([k](Json& s) {
                Json& bound = s.at("stages")[k].at("lowerBound");
                bound = bound.get<double>() + 1e6;
              })),
              caught);
    EXPECT_EQ(kinds(check([k](Json& s) {
                s.at("stages")[k].at("proven") = true;
                s.at("stages")[k].at("lowerBound") =
                    s.at("stages")[k].at("objective").get<double>() - 1e5;
              })),
              caught);
    const Json& stage = honest.at("summary").at("stages")[k];
    EXPECT_EQ(kinds(check([k](Json& s) {
                Json& bound = s.at("stages")[k].at("priceBound");
                bound = bound.get<double>() + 1e5;
              })),
              caught);
    // Without it the prices must prove all, but for what rounding may hide.
    const double other =
        stage.at("lowerBound").get<double>() - stage.at("priceBound").get<double>();
    if (other == 0 || other >= 1) {
      EXPECT_EQ(kinds(check([k](Json& s) { s.at("stages")[k].erase("priceBound"); })),
                other == 0 ? std::set<std::string>{} : caught);
    }
    // Cards that cost a billion times as much prove nothing of servers left out.
    if (!stage.contains("typePrices") || !stage.contains("priority")) continue;
    double paid = 0;
    for (const auto& [type, usage] : honest.at("summary").at("types").items()) {
      paid += stage.at("typePrices").at(type).get<double>() *
              static_cast<double>(usage.at("limit").get<std::int64_t>());
    }
    if (paid < 0.1 || stage.at("priceBound").get<double>() < 1) continue;
    ++with_prices;
    EXPECT_EQ(kinds(check([k](Json& s) {
                for (auto& price : s.at("stages")[k].at("typePrices")) {
                  price = price.get<double>() * 1e9;
                }
              })),
              caught);
  }
  EXPECT_EQ(kinds(check([](Json& s) { s.at("gap") = 0.5; })), caught);
  std::printf("  %d stages with prices\n", with_prices);
}

// Where a tie was decided by name, published answers state the figures of the other accelerator.
void drop_figures_of_ties(Json& expected) {
  for (const Json& c : expected.at("candidates")) {
    const auto found = expected.at("allocations").find(c.at("server").get<std::string>());
    if (found == expected.at("allocations").end()) continue;
    Json& a = *found;
    if (a.at("accelerator") != c.at("accelerator") || c.at("numReplicas") == 0) continue;
    const double cost = c.at("cost").get<double>() * a.at("numReplicas").get<double>() /
                        c.at("numReplicas").get<double>();
    if (std::fabs(a.at("cost").get<double>() - cost) <= 1e-3 * cost) continue;
    for (const char* figure : {"cost", "itlAverage", "ttftAverage"}) a.erase(figure);
  }
}

// The published solver grants partial allocations without a mark: the one violation its plans have.
TEST(Verify, PublishedPlans) {
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no published plans";
  int checked = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(folder) / "fleets")) {
    SCOPED_TRACE(entry.path().filename().string());
    const SpecReadResult read = read_system(entry.path().string());
    ASSERT_FALSE(read.diagnostics.has_errors()) << read.diagnostics.to_text();
    Json document;
    std::ifstream(entry.path()) >> document;
    drop_figures_of_ties(document.at("expected"));
    const PlanReadResult plan =
        read_plan_from_string(document.at("expected").dump(), entry.path().string());
    ASSERT_TRUE(plan.ok()) << plan.diagnostics.to_text();
    const System system(read.spec);
    PlannerOptions published;
    if (!read.spec.optimizer.unlimited) published.solver = Solver::kGreedy;
    const Plan ours = make_plan(system, read.spec.optimizer, published);
    std::set<std::string> partial, flagged;
    for (const PlannedServer& p : ours.allocations) {
      if (p.partial) partial.insert(p.server);
    }
    for (const Violation& v : verify_plan(system, read.spec.optimizer, plan.claims)) {
      EXPECT_TRUE(partial.contains(v.server)) << v.server << ": " << v.kind << ": " << v.message;
      if (v.kind == "replicas" || v.kind == "min-replicas") flagged.insert(v.server);
    }
    EXPECT_EQ(flagged, partial);
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace tonnage
