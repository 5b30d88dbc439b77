// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Queue problems as files: the check values of the contract, the published curves, every mistake.
#include "tonnage/io/queue_io.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace tonnage {
namespace {

using Json = nlohmann::json;

const char* const kProblem = R"({"RPS": 3, "maxBatchSize": 48, "avgInputTokens": 128,
  "avgOutputTokens": 512, "alpha": 12, "beta": 0.05, "gamma": 0.0005, "maxQueueSize": 128,
  "targetTTFT": 60, "targetITL": 20})";

Json answer(QueueCommand command, const Json& problem) {
  const QueueAnswer a = answer_queue_problems(command, problem.dump(), "test");
  EXPECT_TRUE(a.ok()) << a.diagnostics.to_text();
  EXPECT_FALSE(a.json.empty());
  return Json::parse(a.json);
}

void expect_relative(const Json& object, const char* field, double want, double tolerance) {
  EXPECT_NEAR(object.at(field).get<double>(), want, tolerance * std::fabs(want)) << field;
}

// The pointers of all errors of an input that must be refused.
std::multiset<std::string> error_pointers(QueueCommand command, const std::string& text) {
  const QueueAnswer a = answer_queue_problems(command, text, "test");
  EXPECT_TRUE(a.diagnostics.has_errors());
  EXPECT_TRUE(a.json.empty());
  std::multiset<std::string> pointers;
  for (const Diagnostic& d : a.diagnostics.all()) {
    if (d.severity == Severity::kError) pointers.insert(d.pointer);
  }
  return pointers;
}

TEST(QueueIo, SolveCheckValue) {
  const Json got = answer(QueueCommand::kSolve, Json::parse(kProblem));
  expect_relative(got, "avgITL", 20.1189, 5e-6);
  expect_relative(got, "avgTTFT", 67.615, 1e-5);
  expect_relative(got, "avgWaitTime", 21.405, 3e-5);
  expect_relative(got, "maxRPS", 3.86093, 2e-6);
  EXPECT_EQ(got.at("offeredRPS").get<double>(), 3);
  EXPECT_LE(got.at("ttftP50").get<double>(), got.at("ttftP90").get<double>());
  EXPECT_LE(got.at("ttftP95").get<double>(), got.at("ttftP99").get<double>());
  const double drop = got.at("dropProbability").get<double>();
  expect_relative(got, "throughput", 3 * (1 - drop), 1e-12);
}

TEST(QueueIo, TargetCheckValue) {
  const Json got = answer(QueueCommand::kTarget, Json::parse(kProblem));
  EXPECT_TRUE(got.at("feasible").get<bool>());
  expect_relative(got, "throughput", 2.94946, 3e-6);
  EXPECT_LE(got.at("avgITL").get<double>(), 20 * (1 + 1e-6));
  EXPECT_LE(got.at("avgTTFT").get<double>(), 60 * (1 + 1e-6));
  EXPECT_GE(got.at("RPSTargetTTFT").get<double>(), got.at("offeredRPS").get<double>() * (1 - 1e-6));
  EXPECT_GE(got.at("RPSTargetITL").get<double>(), got.at("offeredRPS").get<double>() * (1 - 1e-6));
}

TEST(QueueIo, InfeasibleTargetNamesTheBestValue) {
  Json problem = Json::parse(kProblem);
  problem["targetITL"] = 5;
  const Json got = answer(QueueCommand::kTarget, problem);
  EXPECT_FALSE(got.at("feasible").get<bool>());
  EXPECT_EQ(got.at("throughput").get<double>(), 0);
  const std::string reason = got.at("reason").get<std::string>();
  EXPECT_EQ(reason.rfind("ITL is at best ", 0), 0U) << reason;
  EXPECT_NE(reason.find("target 5 ms"), std::string::npos) << reason;
  EXPECT_EQ(reason.find("TTFT"), std::string::npos) << reason;
}

TEST(QueueIo, OptimizeFindsTheLeastConcurrencyNearThePeak) {
  Json problem = Json::parse(kProblem);
  const Json got = answer(QueueCommand::kOptimize, problem);
  ASSERT_TRUE(got.at("feasible").get<bool>());
  std::vector<double> goodput;  // of 1, 2, ...
  for (int m = 1; m <= 48; ++m) {
    problem["maxBatchSize"] = m;
    goodput.push_back(answer(QueueCommand::kTarget, problem).at("throughput").get<double>());
  }
  const double enough = 0.98 * *std::max_element(goodput.begin(), goodput.end());
  const auto first =
      std::find_if(goodput.begin(), goodput.end(), [&](double g) { return g >= enough; });
  EXPECT_EQ(got.at("concurrency").get<std::int64_t>(), first - goodput.begin() + 1);
  expect_relative(got, "throughput", *first, 1e-9);
  EXPECT_GE(got.at("M_ITL").get<int>(), 1);
  EXPECT_LE(got.at("M_TPF").get<int>(), 48);

  problem["targetITL"] = 5;
  const Json none = answer(QueueCommand::kOptimize, problem);
  EXPECT_FALSE(none.at("feasible").get<bool>());
  EXPECT_EQ(none.at("concurrency").get<int>(), 1);
  EXPECT_EQ(none.at("throughput").get<double>(), 0);
}

TEST(QueueIo, ArrayInArrayOutInOrderAndKeysInAnyCase) {
  Json first = Json::parse(kProblem), second;
  for (const auto& [key, value] : first.items()) {
    std::string upper = key;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    second[upper] = value;
  }
  first["RPS"] = 2;
  const Json got = answer(QueueCommand::kSolve, Json::array({first, second}));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], answer(QueueCommand::kSolve, first));
  EXPECT_EQ(got[1], answer(QueueCommand::kSolve, Json::parse(kProblem)));
  EXPECT_EQ(answer(QueueCommand::kSolve, Json::array()), Json::array());
}

TEST(QueueIo, TokenBudgetDefaultsTo8192) {
  Json problem = Json::parse(kProblem);
  problem["avgInputTokens"] = 9000;
  const Json by_default = answer(QueueCommand::kSolve, problem);
  problem["maxNumTokens"] = 8192;
  EXPECT_EQ(answer(QueueCommand::kSolve, problem), by_default);
  problem["maxNumTokens"] = 512;
  EXPECT_NE(answer(QueueCommand::kSolve, problem), by_default);
}

TEST(QueueIo, OverloadGivesFiniteAnswers) {
  Json problem = Json::parse(kProblem);
  problem["RPS"] = 1e9;
  const Json got = answer(QueueCommand::kSolve, problem);
  for (const auto& [key, value] : got.items()) EXPECT_TRUE(value.is_number()) << key;
  EXPECT_GT(got.at("dropProbability").get<double>(), 0.99);
}

TEST(QueueIo, ReportsEveryMistakeOfEveryEntry) {
  Json broken = Json::parse(kProblem);
  broken["alpha"] = -1;
  broken["RPS"] = 0;
  broken["maxBatchSize"] = "48";
  broken["avgOutputTokens"] = 0.5;
  Json missing = Json::parse(kProblem);
  missing.erase("beta");
  missing["maxQueueSize"] = 1.5;
  Json zero = Json::parse(kProblem);
  zero["alpha"] = zero["beta"] = zero["gamma"] = 0;
  const Json all = Json::array({Json::parse(kProblem), broken, missing, 7, zero});
  const std::multiset<std::string> want = {
      "/1/RPS", "/1/alpha", "/1/avgOutputTokens", "/1/maxBatchSize", "/2", "/2/maxQueueSize",
      "/3",     "/4"};
  EXPECT_EQ(error_pointers(QueueCommand::kSolve, all.dump()), want);
}

// Rates beyond the range of a double are one problem's affair.
TEST(QueueIo, AProblemOutOfRangeIsAnsweredByTheReasonAtItsPlace) {
  const Json sound = Json::parse(kProblem);
  Json tiny = sound;
  tiny["alpha"] = 1e-310;
  tiny["beta"] = tiny["gamma"] = 0;
  Json slow = sound;
  slow["RPS"] = 5e-324;
  for (const QueueCommand command :
       {QueueCommand::kSolve, QueueCommand::kTarget, QueueCommand::kOptimize}) {
    const Json all = Json::array({sound, tiny, slow, sound});
    const QueueAnswer a = answer_queue_problems(command, all.dump(), "test");
    ASSERT_TRUE(a.ok()) << a.diagnostics.to_text();
    EXPECT_EQ(a.json.find("null"), std::string::npos);
    const Json got = Json::parse(a.json);
    ASSERT_EQ(got.size(), 4U);
    EXPECT_EQ(got[0], answer(command, sound));
    EXPECT_EQ(got[3], got[0]);
    EXPECT_NE(got[1].at("reason").get<std::string>().find("alpha"), std::string::npos);
    const bool solves = command == QueueCommand::kSolve;
    EXPECT_EQ(got[1].contains("feasible"), !solves);
    EXPECT_EQ(got[2].contains("reason"), solves) << "the rate counts only there";
    std::vector<std::string> places;
    for (const Diagnostic& d : a.diagnostics.all()) places.push_back(d.pointer);
    EXPECT_EQ(places, solves ? std::vector<std::string>({"/1", "/2"})
                             : std::vector<std::string>({"/1"}));
  }
}

TEST(QueueIo, NumbersAreFiniteAndNotNegativeWhateverTheParameters) {
  Json problems = Json::array();
  for (const double a : {0.0, 1e-100, 1.0, 1e12}) {
    for (const double b : {0.0, 5e-324, 1e12}) {
      for (const double tokens : {1.0, 1e9}) {
        if (a == 0 && b < 1) continue;
        problems.push_back({{"RPS", 1e10}, {"maxBatchSize", 5}, {"avgInputTokens", tokens},
                            {"avgOutputTokens", tokens}, {"alpha", a}, {"beta", b}, {"gamma", b},
                            {"maxQueueSize", 1000000}});
        problems.push_back(problems.back());
        problems.back()["RPS"] = 1e-97;
      }
    }
  }
  for (const QueueCommand command :
       {QueueCommand::kSolve, QueueCommand::kTarget, QueueCommand::kOptimize}) {
    for (const Json& one : answer(command, problems)) {
      for (const auto& [key, value] : one.items()) {
        if (value.is_boolean()) continue;
        ASSERT_TRUE(value.is_number()) << key << one;
        EXPECT_GE(value.get<double>(), 0) << key;
      }
    }
  }
}

TEST(QueueIo, SharingTheWorkChangesNothing) {
  Json problems = Json::array();
  for (int i = 1; i < 40; ++i) {
    problems.push_back(Json::parse(kProblem));
    problems.back()["maxBatchSize"] = 3 * i;
  }
  int checks = 0;
  QueueOptions options;
  options.parallel_for = [](std::int64_t count, const auto& body) {
    for (std::int64_t i = count - 1; i >= 0; --i) body(i, i + 1);
  };
  options.check = [&] { ++checks; };
  const QueueAnswer shared =
      answer_queue_problems(QueueCommand::kOptimize, problems.dump(), "test", options);
  EXPECT_EQ(Json::parse(shared.json), answer(QueueCommand::kOptimize, problems));
  EXPECT_GT(checks, 39) << "now and then in each problem";
  options.check = [] { throw std::runtime_error("enough"); };
  EXPECT_THROW(
      (void)answer_queue_problems(QueueCommand::kOptimize, problems.dump(), "test", options),
      std::runtime_error);
}

TEST(QueueIo, RateIsRequiredOnlyToSolve) {
  Json problem = Json::parse(kProblem);
  problem.erase("RPS");
  EXPECT_EQ(error_pointers(QueueCommand::kSolve, problem.dump()), (std::multiset<std::string>{""}));
  EXPECT_TRUE(answer(QueueCommand::kTarget, problem).at("feasible").get<bool>());
}

TEST(QueueIo, RefusesDuplicatesAndWhatIsNoProblem) {
  std::string twice = kProblem;
  twice.insert(1, "\"ALPHA\": 3, ");
  EXPECT_EQ(error_pointers(QueueCommand::kSolve, twice).size(), 1U);
  EXPECT_EQ(error_pointers(QueueCommand::kSolve, "3").size(), 1U);
  EXPECT_GE(error_pointers(QueueCommand::kSolve, "{\"RPS\":").size(), 1U);
}

TEST(QueueIo, RefusesNulBytes) {
  const std::string text = kProblem + std::string("\0 of no consequence", 20);
  for (const QueueCommand command :
       {QueueCommand::kSolve, QueueCommand::kTarget, QueueCommand::kOptimize}) {
    const QueueAnswer a = answer_queue_problems(command, text, "test");
    EXPECT_TRUE(a.json.empty());
    ASSERT_EQ(a.diagnostics.num_errors(), 1U);
    EXPECT_EQ(a.diagnostics.all()[0].found, "a NUL byte at line 3, column 37");
  }
}

TEST(QueueIo, WarnsAboutUnknownKeysWithTheOneMeant) {
  Json problem = Json::parse(kProblem);
  problem["targetTFTT"] = 60;
  const QueueAnswer a = answer_queue_problems(QueueCommand::kSolve, problem.dump(), "test");
  ASSERT_TRUE(a.ok());
  ASSERT_EQ(a.diagnostics.all().size(), 1U);
  EXPECT_EQ(a.diagnostics.all()[0].pointer, "/targetTFTT");
  EXPECT_NE(a.diagnostics.all()[0].hint.find("targetTTFT"), std::string::npos);
}

TEST(QueueIo, PublishedCurves) {
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set: no published curves";
  Json cases;
  std::ifstream(std::string(folder) + "/queue-curves.json") >> cases;
  ASSERT_FALSE(cases.empty());
  for (const Json& one : cases) {
    Json problems = Json::array();
    for (const Json& row : one.at("curve")) {
      problems.push_back(one.at("problem"));
      problems.back()["maxBatchSize"] = row.at("maxBatchSize");
    }
    const Json solved = answer(QueueCommand::kSolve, problems);
    const Json sized = answer(QueueCommand::kTarget, problems);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      const Json& row = one.at("curve")[i];
      SCOPED_TRACE(row.dump());
      for (const char* field :
           {"avgITL", "avgNumInServ", "avgRespTime", "avgTTFT", "maxRPS", "throughput"}) {
        expect_relative(solved[i], field, row.at(field).get<double>(), 1e-3);
      }
      // The published wait is a float32 difference of response and service time: a short wait
      // carries the rounding of these.
      const double wait = row.at("avgWaitTime").get<double>();
      const double rounding = 4 * 0x1p-24 * row.at("avgRespTime").get<double>();
      EXPECT_NEAR(solved[i].at("avgWaitTime").get<double>(), wait, 1e-3 * wait + rounding);
      const double goodput = row.at("sloThroughput").get<double>();
      EXPECT_EQ(sized[i].at("feasible").get<bool>(), goodput > 0);
      if (goodput == 0) continue;
      expect_relative(sized[i], "throughput", goodput, 1e-3);
      expect_relative(sized[i], "RPSTargetTTFT", row.at("RPSTargetTTFT").get<double>(), 1e-3);
      expect_relative(sized[i], "RPSTargetITL", row.at("RPSTargetITL").get<double>(), 1e-3);
    }
  }
}

}  // namespace
}  // namespace tonnage
