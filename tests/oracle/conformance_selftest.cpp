// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns the comparison of the slow oracle with answers computed elsewhere: queue curves and the
// candidates of whole fleets, from the folder that TONNAGE_CONFORMANCE_DIR names.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "oracle/sizing.hpp"

namespace tonnage::oracle {
namespace {

using Json = nlohmann::json;
// The build switches them off for every target: code that needs them compiles on some systems only.
static_assert(!std::is_convertible_v<Json, std::string>, "implicit conversions of JSON are off");

std::filesystem::path conformance_folder() {
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder);
}

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return Json::parse(file);
}

// A number that may be absent, in place of which 0 stands.
double number(const Json& object, const char* key) { return object.value(key, 0.0); }

// Values that must be there.
double real(const Json& object, const char* key) { return object.at(key).get<double>(); }
std::int64_t whole(const Json& object, const char* key) {
  return object.at(key).get<std::int64_t>();
}
std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

void expect_near_relative(double expected, long double actual, double relative, const char* what) {
  EXPECT_NEAR(static_cast<double>(actual), expected, relative * std::fabs(expected) + 1e-9) << what;
}

TEST(OracleConformance, QueueCurves) {
  if (conformance_folder().empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set";
  SearchOptions options;
  options.scan_points = 200;
  int rows = 0;
  for (const Json& one : read_json(conformance_folder() / "queue-curves.json")) {
    const Json& problem = one.at("problem");
    QueueParams params;
    params.alpha = real(problem, "alpha");
    params.beta = real(problem, "beta");
    params.gamma = real(problem, "gamma");
    params.in_tokens = whole(problem, "avgInputTokens");
    params.out_tokens = whole(problem, "avgOutputTokens");
    params.max_queue = whole(problem, "maxQueueSize");
    const Targets targets{number(problem, "targetITL"), number(problem, "targetTTFT"), 0, 0};
    for (const Json& row : one.at("curve")) {
      ++rows;
      params.max_batch = whole(row, "maxBatchSize");
      SCOPED_TRACE(problem.dump() + " M " + std::to_string(params.max_batch));
      const Chain chain(params);
      const Metrics at = chain.evaluate(real(problem, "RPS") / 1000);
      expect_near_relative(real(row, "avgITL"), at.itl, 1e-3, "avgITL");
      expect_near_relative(real(row, "avgTTFT"), at.ttft, 1e-3, "avgTTFT");
      // Its wait is a difference of two times in single precision, as long as the response is.
      EXPECT_NEAR(static_cast<double>(at.wait), real(row, "avgWaitTime"),
                  1e-3 * static_cast<double>(at.wait) + 1e-5 * static_cast<double>(at.serv));
      expect_near_relative(real(row, "avgRespTime"), at.wait + at.serv, 1e-3, "avgRespTime");
      expect_near_relative(real(row, "avgNumInServ"), at.in_service, 1e-3, "avgNumInServ");
      expect_near_relative(real(row, "throughput"), at.throughput * 1000, 1e-3, "throughput");
      expect_near_relative(real(row, "maxRPS"), chain.highest_rate() * 1000, 1e-3, "maxRPS");
      const RateResult found = largest_rate(chain, targets, options);
      expect_near_relative(real(row, "sloThroughput"), found.goodput * 1000, 1e-3, "sloThroughput");
      EXPECT_EQ(found.feasible, real(row, "sloThroughput") != 0);
      if (!row.contains("RPSTargetITL")) continue;
      expect_near_relative(real(row, "RPSTargetITL"), found.rate_itl * 1000, 1e-3, "RPSTargetITL");
      expect_near_relative(real(row, "RPSTargetTTFT"), found.rate_ttft * 1000, 1e-3,
                           "RPSTargetTTFT");
    }
  }
  EXPECT_GT(rows, 700);
}

const Json* named(const Json& list, const char* key, const std::string& name) {
  for (const Json& one : list) {
    if (text(one, key) == name) return &one;
  }
  return nullptr;
}

// What the rules make of every pair of a fleet: by (server, accelerator). Empty allocations, one
// for each accelerator considered, share the empty name.
std::multimap<std::pair<std::string, std::string>, PairResult> candidates_of(const Json& system) {
  std::multimap<std::pair<std::string, std::string>, PairResult> result;
  const Json& accelerators = system.at("acceleratorData").at("accelerators");
  for (const Json& server : system.at("serverData").at("servers")) {
    const Json& current = server.at("currentAlloc");
    const std::string holding = current.value("accelerator", "");
    const std::string class_name = server.value("class", "");
    const Json* service_class = named(system.at("serviceClassData").at("serviceClasses"), "name",
                                      class_name.empty() ? "Free" : class_name);
    const std::string model = text(server, "model");
    const Json* target = service_class == nullptr
                             ? nullptr
                             : named(service_class->at("modelTargets"), "model", model);
    if (target == nullptr) continue;
    for (const Json& data : system.at("modelData").at("models")) {
      const Json* accelerator = named(accelerators, "name", text(data, "acc"));
      if (text(data, "name") != model || accelerator == nullptr) continue;
      const bool keeps = server.value("keepAccelerator", false) && !holding.empty();
      if (keeps && holding != text(data, "acc")) {
        continue;
      }
      PairInput input;
      input.alpha = number(data.at("perfParms"), "alpha");
      input.beta = number(data.at("perfParms"), "beta");
      input.gamma = number(data.at("perfParms"), "gamma");
      input.data_max_batch = data.value("maxBatchSize", 0);
      input.at_tokens = data.value("atTokens", 0);
      input.acc_count = data.value("accCount", 0);
      input.accelerator = text(data, "acc");
      input.accelerator_cost = real(*accelerator, "cost");
      input.multiplicity = whole(*accelerator, "multiplicity");
      const Json& load = current.at("load");
      input.arrival_rate_per_min = real(load, "arrivalRate");
      input.in_tokens = whole(load, "avgInTokens");
      input.out_tokens = whole(load, "avgOutTokens");
      input.min_replicas = server.value("minNumReplicas", 0);
      input.max_batch_override = server.value("maxBatchSize", 0);
      input.max_queue = server.value("maxQueueSize", 0);
      input.current = {holding, current.value("numReplicas", 0), number(current, "cost")};
      input.targets = {number(*target, "slo-itl"), number(*target, "slo-ttft"),
                       number(*target, "slo-tps"), 0};
      SearchOptions options;
      options.scan_points = 40;
      const PairResult sized = size_pair(input, options);
      if (sized.feasible) result.insert({{text(server, "name"), sized.accelerator}, sized});
    }
  }
  return result;
}

void compare(const Json& expected, const PairResult& sized) {
  EXPECT_EQ(sized.replicas, whole(expected, "numReplicas"))
      << "load over goodput " << static_cast<double>(sized.load_over_goodput);
  EXPECT_EQ(sized.max_batch, whole(expected, "maxBatch"));
  expect_near_relative(real(expected, "cost"), sized.cost, 1e-3, "cost");
  EXPECT_NEAR(static_cast<double>(sized.value), real(expected, "value"),
              1e-3 * static_cast<double>(std::max(sized.cost, std::fabs(sized.value))) + 1e-9);
  expect_near_relative(real(expected, "itlAverage"), sized.itl, 1e-3, "itlAverage");
  expect_near_relative(real(expected, "ttftAverage"), sized.ttft, 1e-3, "ttftAverage");
  expect_near_relative(real(expected, "maxRPM"), sized.max_rate * 60000, 1e-2, "maxRPM");
}

TEST(OracleConformance, FleetCandidates) {
  if (conformance_folder().empty()) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(conformance_folder() / "fleets")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  for (const std::filesystem::path& file : files) {
    const Json fleet = read_json(file);
    auto sized = candidates_of(fleet.at("system"));
    for (const Json& expected : fleet.at("expected").at("candidates")) {
      const std::string server = text(expected, "server");
      const std::string accelerator = text(expected, "accelerator");
      SCOPED_TRACE(file.filename().string() + " " + server + " on " + accelerator);
      const auto found = sized.find({server, accelerator});
      if (found == sized.end()) {
        ADD_FAILURE() << "no candidate";
        continue;
      }
      compare(expected, found->second);
      sized.erase(found);
    }
    for (const auto& [pair, extra] : sized) {
      ADD_FAILURE() << file.filename() << ": unexpected candidate " << pair.first << " on "
                    << pair.second;
    }
  }
}

}  // namespace
}  // namespace tonnage::oracle
