// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Plans as files: what is written reads back as the same claims; what is wrong is reported.
#include "tonnage/io/plan_io.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "support/seed.hpp"

namespace tonnage {
namespace {

using Json = nlohmann::json;

PlannedServer planned(const std::string& name, std::mt19937_64& random) {
  std::uniform_real_distribution<double> number(0, 1000);
  std::uniform_int_distribution<std::int64_t> count(1, 100);
  PlannedServer p;
  p.server = name;
  p.allocation = {"A100",
                  count(random),
                  count(random),
                  number(random),
                  number(random),
                  number(random),
                  {number(random), 0, count(random), count(random)}};
  p.value = -number(random);
  p.metrics = {p.allocation.itl_average_ms,
               p.allocation.ttft_average_ms,
               number(random) / 1000,
               number(random),
               number(random) * 1e-12,
               number(random),
               number(random),
               number(random),
               number(random),
               number(random)};
  p.priority = 1;
  p.partial = count(random) % 2 == 0;
  return p;
}

Plan sample_plan(std::int64_t servers = 20) {
  std::mt19937_64 random(testing::test_seed());
  Plan plan;
  for (std::int64_t i = 0; i < servers; ++i) {
    plan.allocations.push_back(planned("server-" + std::to_string(i), random));
  }
  PlannedServer empty;
  empty.server = "with \"quotes\" \\ and \x01 \xC3\xA9";
  plan.allocations.push_back(empty);
  plan.unallocated.push_back({"left-b", 2, Reason::kNoCapacity, "not enough cards left"});
  plan.unallocated.push_back({"left-a", 3, Reason::kNoTarget, "no \"target\""});
  plan.summary.total_cost = 0.1 + 0.2;
  plan.summary.total_value = -1.0 / 3;
  plan.summary.types = {{"A100", 12, 16, 99.5, {}}, {"H100", 0, std::nullopt, 0, {}}};
  plan.summary.priorities = {{1, 10, 10, 0, {}}, {2, 0, 0, 1, {}}, {100, 1, 0, 0, {}}};
  plan.summary.solver = "greedy";
  plan.summary.backend = "cpu";
  plan.summary.version = "1.2.3";
  plan.summary.num_candidates = 77;
  plan.summary.evaluation_s = 1.5;
  plan.summary.selection_s = 0.5;
  return plan;
}

TEST(PlanIo, RoundTrip) {
  const Plan plan = sample_plan();
  const PlanReadResult read = read_plan_from_string(plan_to_json(plan), "plan");
  ASSERT_TRUE(read.diagnostics.all().empty()) << read.diagnostics.to_text();
  ASSERT_EQ(read.claims.allocations.size(), plan.allocations.size());
  for (const PlannedServer& p : plan.allocations) {
    SCOPED_TRACE(p.server);
    ASSERT_TRUE(read.claims.allocations.contains(p.server));
    const AllocationClaims& got = read.claims.allocations.at(p.server);
    AllocationClaims want;
    want.accelerator = p.allocation.accelerator;
    want.num_replicas = p.allocation.num_replicas;
    want.max_batch = p.allocation.max_batch;
    want.cost_cents_per_hour = p.allocation.cost_cents_per_hour;
    want.itl_average_ms = p.allocation.itl_average_ms;
    want.ttft_average_ms = p.allocation.ttft_average_ms;
    want.load = p.allocation.load;
    want.value = p.value;
    want.response_ms = p.metrics.response_ms;
    want.rho = p.metrics.rho;
    want.max_rpm = p.metrics.max_rate_per_replica_per_ms * 60000;
    want.drop_probability = p.metrics.drop_probability;
    want.ttft_p50_ms = p.metrics.ttft_p50_ms;
    want.ttft_p90_ms = p.metrics.ttft_p90_ms;
    want.ttft_p95_ms = p.metrics.ttft_p95_ms;
    want.ttft_p99_ms = p.metrics.ttft_p99_ms;
    want.power_w = p.metrics.power_w;
    want.partial = p.partial;
    EXPECT_EQ(got, want);
  }
  EXPECT_EQ(read.claims.unallocated, (std::vector<std::string>{"left-b", "left-a"}));
  ASSERT_TRUE(read.claims.summary.has_value());
  const SummaryClaims& summary = *read.claims.summary;
  EXPECT_EQ(summary.total_cost, plan.summary.total_cost);
  EXPECT_EQ(summary.total_value, plan.summary.total_value);
  const std::map<std::string, TypeClaims> types = {{"A100", {12, 16, 99.5}},
                                                   {"H100", {0, std::nullopt, 0}}};
  EXPECT_EQ(summary.types, types);
  const std::map<int, PriorityClaims> priorities = {
      {1, {10, 10, 0}}, {2, {0, 0, 1}}, {100, {1, 0, 0}}};
  EXPECT_EQ(summary.priorities, priorities);
}

TEST(PlanIo, LayoutAndTiming) {
  Plan plan = sample_plan();
  const std::string text = plan_to_json(plan);
  const Json json = Json::parse(text);
  EXPECT_EQ(json.at("unallocated")[1], (Json{{"server", "left-a"}, {"reason", "no \"target\""}}));
  EXPECT_TRUE(json.at("summary").at("types").at("H100").at("limit").is_null());
  EXPECT_EQ(json.at("summary").at("candidates").get<int>(), 77);
  EXPECT_FALSE(json.at("summary").contains("timing"));
  EXPECT_EQ(json.at("allocations").at("server-3").at("load").size(), 4U);
  plan.summary.evaluation_s = 2.5;
  EXPECT_EQ(plan_to_json(plan), text);
  const Json timed = Json::parse(plan_to_json(plan, true));
  EXPECT_EQ(timed.at("summary").at("timing").at("evaluationSeconds").get<double>(), 2.5);
}

TEST(PlanIo, NeverWritesWhatJsonCannotHold) {
  Plan plan = sample_plan(1);
  plan.allocations[0].server = "broken \xFF name";
  plan.allocations[0].metrics.rho = std::numeric_limits<double>::quiet_NaN();
  plan.allocations[0].value = std::numeric_limits<double>::infinity();
  const Json json = Json::parse(plan_to_json(plan));
  const Json& allocation = json.at("allocations").at("broken \xEF\xBF\xBD name");
  EXPECT_TRUE(allocation.at("rho").is_null());
  EXPECT_TRUE(allocation.at("value").is_null());
  const PlanReadResult read = read_plan_from_string(json.dump(), "plan");
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read.claims.allocations.begin()->second.rho.has_value());
}

TEST(PlanIo, ReadsForeignPlansWithAllocationsAlone) {
  const PlanReadResult read = read_plan_from_string(
      R"({"Allocations": {"s": {"Accelerator": "G2", "numreplicas": 3, "extra": 1}}, "x": 0})",
      "plan");
  ASSERT_TRUE(read.diagnostics.all().empty()) << read.diagnostics.to_text();
  AllocationClaims want;
  want.accelerator = "G2";
  want.num_replicas = 3;
  EXPECT_EQ(read.claims.allocations.at("s"), want);
  EXPECT_FALSE(read.claims.unallocated.has_value());
  EXPECT_FALSE(read.claims.summary.has_value());
}

TEST(PlanIo, NulBytesAreErrors) {
  const std::string text = R"({"allocations": {"s": {}}})" + std::string("\0{}", 3);
  const PlanReadResult read = read_plan_from_string(text, "plan");
  ASSERT_EQ(read.diagnostics.num_errors(), 1U);
  EXPECT_EQ(read.diagnostics.all()[0].found, "a NUL byte at line 1, column 27");
}

TEST(PlanIo, ReportsEveryMistake) {
  const PlanReadResult read = read_plan_from_string(
      R"({"allocations": {"a": {"numReplicas": 1.5, "cost": "x"}, "b": 3,
          "c": {"accelerator": 1, "partial": 0, "load": {"avgInTokens": "y"}}},
          "unallocated": [{"reason": "z"}, "s"],
          "summary": {"totalCost": [], "priorities": {"101": {}, "one": {}}}})",
      "plan");
  std::multiset<std::string> got;
  for (const Diagnostic& d : read.diagnostics.all()) got.insert(d.pointer);
  const std::multiset<std::string> want = {"/allocations/a/numReplicas",
                                           "/allocations/a/cost",
                                           "/allocations/b",
                                           "/allocations/c/accelerator",
                                           "/allocations/c/partial",
                                           "/allocations/c/load/avgInTokens",
                                           "/unallocated/0",
                                           "/unallocated/1",
                                           "/summary/totalCost",
                                           "/summary/priorities/101",
                                           "/summary/priorities/one"};
  EXPECT_EQ(got, want);
  EXPECT_FALSE(read_plan_from_string("{}", "plan").ok());
  EXPECT_FALSE(read_plan_from_string("[", "plan").ok());
  EXPECT_FALSE(read_plan("/nonexistent/plan.json").ok());
}

TEST(PlanIo, CandidatesAsJsonAndCsv) {
  Candidate feasible;
  feasible.server = "a, \"b\"\n";
  feasible.accelerator = "A100";
  feasible.allocation.num_replicas = 2;
  feasible.allocation.max_batch = 48;
  feasible.allocation.cost_cents_per_hour = 0.1;
  feasible.metrics.itl_ms = 1.0 / 3;
  feasible.metrics.max_rate_per_replica_per_ms = 0.001;
  Candidate infeasible;
  infeasible.server = "c";
  infeasible.accelerator = "H100";
  infeasible.reason = Reason::kItlTarget;
  infeasible.detail = "ITL, at best 3 ms";

  const Json json = Json::parse(candidates_to_json({feasible, infeasible}));
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0].at("server").get<std::string>(), feasible.server);
  EXPECT_EQ(json[0].at("itlAverage").get<double>(), 1.0 / 3);
  EXPECT_EQ(json[0].at("maxRPM").get<double>(), 60);
  EXPECT_EQ(json[1],
            (Json{{"server", "c"}, {"accelerator", "H100"}, {"reason", infeasible.detail}}));

  const std::string csv = candidates_to_csv({feasible, infeasible});
  const std::string header =
      "server,accelerator,numReplicas,maxBatch,cost,itlAverage,ttftAverage,value,respTimeAverage,"
      "rho,maxRPM,dropProbability,ttftP50,ttftP90,ttftP95,ttftP99,powerW,reason\r\n";
  EXPECT_EQ(csv, header +
                     "\"a, \"\"b\"\"\n\",A100,2,48,0.1,0.3333333333333333,0,0,0,0,60,0,0,0,0,0,0,"
                     "\r\n"
                     "c,H100,,,,,,,,,,,,,,,,\"ITL, at best 3 ms\"\r\n");
  EXPECT_EQ(Json::parse(candidates_to_json({})), Json::array());
}

TEST(PlanIo, Diff) {
  PlanChange change;
  change.server = "s";
  change.kind = ChangeKind::kAdded;
  change.new_accelerator = "A100";
  change.new_num_replicas = 2;
  change.new_max_batch = 8;
  change.cost_difference = 1.5;
  const Json json = Json::parse(diff_to_json({change}));
  EXPECT_EQ(json, (Json::array({{{"server", "s"},
                                 {"kind", "added"},
                                 {"oldAccelerator", ""},
                                 {"newAccelerator", "A100"},
                                 {"oldNumReplicas", 0},
                                 {"newNumReplicas", 2},
                                 {"oldMaxBatch", 0},
                                 {"newMaxBatch", 8},
                                 {"costDifference", 1.5}}})));
}

}  // namespace
}  // namespace tonnage
