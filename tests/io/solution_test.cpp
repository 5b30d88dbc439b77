// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Solutions are written in the published layout and read whoever wrote them.
#include "tonnage/io/solution.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tonnage/core/error.hpp"

namespace tonnage::test {
namespace {

TEST(Solution, IsWrittenInThePublishedLayout) {
  const Solution solution = {{"a", {}},
                             {"b \"quoted\"",
                              {.accelerator = "G",
                               .num_replicas = 2,
                               .max_batch = 8,
                               .cost_cents_per_hour = 0.1,
                               .itl_average_ms = 20.5,
                               .ttft_average_ms = 1e-7,
                               .load = {.arrival_rate_per_min = 60,
                                        .throughput = 0,
                                        .avg_in_tokens = 1,
                                        .avg_out_tokens = 2}}}};
  const std::string a = R"({"accelerator": "", "numReplicas": 0, "maxBatch": 0, "cost": 0, )"
                        R"("itlAverage": 0, "ttftAverage": 0, "load": {"arrivalRate": 0, )"
                        R"("throughput": 0, "avgInTokens": 0, "avgOutTokens": 0}})";
  const std::string b = R"({"accelerator": "G", "numReplicas": 2, "maxBatch": 8, "cost": 0.1, )"
                        R"("itlAverage": 20.5, "ttftAverage": 1e-07, "load": {"arrivalRate": 60, )"
                        R"("throughput": 0, "avgInTokens": 1, "avgOutTokens": 2}})";
  EXPECT_EQ(solution_to_json(solution), "{\n  \"allocations\": {\n    \"a\": " + a +
                                            ",\n    \"b \\\"quoted\\\"\": " + b +
                                            "\n  }\n}\n");
  const SolutionReadResult result = read_solution_from_string(solution_to_json(solution), "plan");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.allocations, solution);
}

TEST(Solution, ExtraFieldsAreNoProblem) {
  const SolutionReadResult result = read_solution_from_string(
      R"({"summary": {"x": 1}, "Allocations": {"s": {"accelerator": "G", "NumReplicas": 3,
          "rho": 0.5, "extra": null}}, "unallocated": []})",
      "plan");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.allocations,
            (Solution{{"s", {.accelerator = "G", .num_replicas = 3, .load = {}}}}));
}

TEST(Solution, ServerNamesKeepTheirCase) {
  const SolutionReadResult result =
      read_solution_from_string(R"({"allocations": {"s": {}, "S": {}}})", "plan");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.allocations.size(), 2U);
}

TEST(Solution, ProblemsAreReportedTogether) {
  const SolutionReadResult result = read_solution_from_string(
      R"({"allocations": {"s/1": {"numReplicas": -1, "load": {}}, "": {}, "t": 4}})", "plan");
  std::vector<std::string> pointers;
  for (const Diagnostic& diagnostic : result.diagnostics.all())
    pointers.push_back(diagnostic.pointer);
  EXPECT_EQ(pointers,
            (std::vector<std::string>{"/allocations/s~11/numReplicas", "/allocations/s~11/load",
                                      "/allocations/s~11/load", "/allocations/s~11/load",
                                      "/allocations/", "/allocations/t"}));
}

TEST(Solution, TwoAllocationsOfOneServerAreRefused) {
  const SolutionReadResult result =
      read_solution_from_string(R"({"allocations": {"s": {}, "s": {}}})", "plan");
  ASSERT_EQ(result.diagnostics.num_errors(), 1U);
  EXPECT_EQ(result.diagnostics.all()[0].pointer, "/allocations/s");
}

TEST(Solution, AFileWithoutAllocationsIsRefused) {
  EXPECT_TRUE(read_solution_from_string("{}", "plan").diagnostics.has_errors());
  EXPECT_TRUE(read_solution_from_string("[]", "plan").diagnostics.has_errors());
  EXPECT_TRUE(read_solution("/nonexistent/plan.json").diagnostics.has_errors());
}

TEST(Solution, NulBytesAreErrors) {
  const std::string text = R"({"allocations": {"s": {}}})" + std::string("\n\0{}", 4);
  const SolutionReadResult result = read_solution_from_string(text, "plan");
  ASSERT_EQ(result.diagnostics.num_errors(), 1U);
  EXPECT_EQ(result.diagnostics.all()[0].found, "a NUL byte at line 2, column 1");
}

TEST(Solution, WhatJsonCannotHoldIsAnError) {
  Solution solution = {{"s", {}}};
  solution["s"].cost_cents_per_hour = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)solution_to_json(solution), Error);
  solution = {{"\xff", {}}};
  EXPECT_THROW((void)solution_to_json(solution), Error);
}

}  // namespace
}  // namespace tonnage::test
