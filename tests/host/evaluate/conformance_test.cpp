// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Every conformance fleet: the same candidates and the same plan as the published behaviour.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tonnage/host/planner.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage {
namespace {

using Json = nlohmann::json;
using PairKey = std::pair<std::string, std::string>;

std::vector<std::filesystem::path> fleet_files() {
  std::vector<std::filesystem::path> files;
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) return files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder) /
                                                               "fleets")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void expect_close(double got, double want, double tolerance, double scale, const char* what) {
  EXPECT_NEAR(got, want, tolerance * std::max(std::fabs(want), scale)) << what;
}

void check_candidates(const System& system, const Json& expected) {
  std::map<PairKey, Json> want;
  for (const Json& c : expected) {
    want.emplace(PairKey{c.at("server").get<std::string>(), c.at("accelerator").get<std::string>()},
                 c);
  }
  std::set<PairKey> got_keys, want_keys;
  for (const auto& [key, unused] : want) want_keys.insert(key);
  for (const Candidate& c : list_candidates(system, {})) {
    const PairKey key{c.server, c.accelerator};
    got_keys.insert(key);
    const auto it = want.find(key);
    if (it == want.end()) continue;
    SCOPED_TRACE(c.server + " on " + c.accelerator);
    const Json& w = it->second;
    EXPECT_EQ(c.allocation.num_replicas, w.at("numReplicas").get<std::int64_t>());
    EXPECT_EQ(c.allocation.max_batch, w.at("maxBatch").get<std::int64_t>());
    const double cost = w.at("cost").get<double>();
    expect_close(c.allocation.cost_cents_per_hour, cost, 1e-3, 0, "cost");
    expect_close(c.value, w.at("value").get<double>(), 1e-3, cost, "value");
    expect_close(c.metrics.itl_ms, w.at("itlAverage").get<double>(), 1e-3, 0, "itlAverage");
    expect_close(c.metrics.ttft_ms, w.at("ttftAverage").get<double>(), 1e-3, 0, "ttftAverage");
    expect_close(c.metrics.max_rate_per_replica_per_ms * 60000, w.at("maxRPM").get<double>(), 1e-2,
                 0, "maxRPM");
  }
  EXPECT_EQ(got_keys, want_keys);
}

// Accelerator and replicas are those of the answers. Costs are those of the answers' candidates:
// where a tie was decided by name, an allocation states the figures of the other accelerator.
void check_plan(const Plan& plan, const Json& expected) {
  std::map<PairKey, double> costs;  // of a replica
  for (const Json& c : expected.at("candidates")) {
    const auto replicas = c.at("numReplicas").get<double>();
    if (replicas == 0) continue;
    const PairKey pair{c.at("server").get<std::string>(), c.at("accelerator").get<std::string>()};
    costs.emplace(pair, c.at("cost").get<double>() / replicas);
  }
  std::set<std::string> got_names, want_names;
  for (const auto& [name, unused] : expected.at("allocations").items()) want_names.insert(name);
  for (const PlannedServer& p : plan.allocations) {
    got_names.insert(p.server);
    const auto it = expected.at("allocations").find(p.server);
    if (it == expected.at("allocations").end()) continue;
    SCOPED_TRACE(p.server);
    EXPECT_EQ(p.allocation.accelerator, it->at("accelerator").get<std::string>());
    EXPECT_EQ(p.allocation.num_replicas, it->at("numReplicas").get<std::int64_t>());
    const auto pair = costs.find({p.server, p.allocation.accelerator});
    if (pair == costs.end()) continue;
    expect_close(p.allocation.cost_cents_per_hour,
                 pair->second * static_cast<double>(p.allocation.num_replicas), 1e-3, 0, "cost");
  }
  EXPECT_EQ(got_names, want_names);
  // The error of the published solver names exactly the servers left out.
  const Json error = expected.value("error", Json());
  const std::string text = error.is_string() ? error.get<std::string>() : "";
  for (const UnallocatedServer& left : plan.unallocated) {
    EXPECT_NE(text.find(left.server), std::string::npos) << left.server;
    EXPECT_FALSE(left.detail.empty());
  }
  EXPECT_EQ(plan.unallocated.empty(), text.empty());
}

TEST(Conformance, EveryFleet) {
  const auto files = fleet_files();
  if (files.empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no conformance cases";
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const SpecReadResult read = read_system(file.string());
    ASSERT_FALSE(read.diagnostics.has_errors()) << read.diagnostics.to_text();
    Json document;
    std::ifstream(file) >> document;
    const Json& expected = document.at("expected");
    const System system(read.spec);
    check_candidates(system, expected.at("candidates"));
    PlannerOptions greedy;
    if (!read.spec.optimizer.unlimited) greedy.solver = Solver::kGreedy;
    check_plan(make_plan(system, read.spec.optimizer, greedy), expected);
  }
}

}  // namespace
}  // namespace tonnage
