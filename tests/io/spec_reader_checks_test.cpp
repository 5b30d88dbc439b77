// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What relates entries: repeated names and keys, unknown keys, derived limits, dangling references.
#include <gtest/gtest.h>

#include "spec_text.hpp"
#include "support/cpu_time.hpp"

namespace tonnage::test {
namespace {

std::string twice(std::string_view entry) {
  return replaced(kFullSpec, entry, std::string(entry) + ", " + std::string(entry));
}

struct Twin {
  std::string_view list;   // pointer
  std::string_view entry;  // as it stands in the full spec
};

TEST(SpecReaderChecks, NamesGivenTwiceAreRefused) {
  const std::size_t server_at = kFullSpec.find("{\"name\": \"s1\"");
  const std::size_t server_end = kFullSpec.find("]},\n  \"optimizerData\"");
  const std::string server = kFullSpec.substr(server_at, server_end - server_at);
  const std::size_t class_at = kFullSpec.find("{\"name\": \"Premium\"");
  const std::string service_class =
      kFullSpec.substr(class_at, kFullSpec.find("]}]}", class_at) + 2 - class_at);
  const std::size_t model_at = kFullSpec.find("{\"name\": \"m1\"");
  const std::string model = kFullSpec.substr(model_at, kFullSpec.find("]}", model_at) - model_at);
  const std::size_t accelerator_at = kFullSpec.find("{\"name\": \"G1\"");
  const std::string accelerator =
      kFullSpec.substr(accelerator_at, kFullSpec.find("]}", accelerator_at) - accelerator_at);
  const std::vector<Twin> twins = {
      {"/system/acceleratorData/accelerators", accelerator},
      {"/system/capacityData/count", "{\"type\": \"G\", \"count\": 16}"},
      {"/system/modelData/models", model},
      {"/system/serviceClassData/serviceClasses", service_class},
      {"/system/serviceClassData/serviceClasses/0/modelTargets",
       "{\"model\": \"m1\", \"slo-itl\": 24, \"slo-ttft\": 500, \"slo-tps\": 0}"},
      {"/system/serverData/servers", server}};
  for (const Twin& twin : twins) {
    const auto errors = errors_of(twice(twin.entry));
    ASSERT_EQ(errors.size(), 1U) << twin.list;
    EXPECT_EQ(errors[0].pointer, std::string(twin.list) + "/1");
    EXPECT_EQ(errors[0].hint, "first at " + std::string(twin.list) + "/0");
  }
}

TEST(SpecReaderChecks, OneModelOnTwoAcceleratorsIsNoTwin) {
  const std::string text = replaced(
      kFullSpec, "{\"name\": \"m1\", \"acc\": \"G1\"",
      "{\"name\": \"m1\", \"acc\": \"G2\", \"perfParms\": {}}, {\"name\": \"m1\", \"acc\": \"G1\"");
  EXPECT_TRUE(errors_of(text).empty());
}

TEST(SpecReaderChecks, KeysGivenTwiceAreRefused) {
  auto errors =
      errors_of(replaced(kFullSpec, "\"cost\": 40.25", "\"cost\": 40.25, \"cost\": 40.25"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/system/acceleratorData/accelerators/0/cost");
  EXPECT_NE(errors[0].found.find("a second time"), std::string::npos);

  errors = errors_of(replaced(kFullSpec, "\"cost\": 40.25", "\"cost\": 40.25, \"COST\": 40.25"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/system/acceleratorData/accelerators/0/COST");

  errors = errors_of(replaced(kFullSpec, "\"cost\": 40.25",
                              "\"cost\": 40.25, \"mine\": [{\"a~/b\": 1, \"a~/b\": 2}]"));
  ASSERT_EQ(errors.size(), 1U) << "also inside unknown keys";
  EXPECT_EQ(errors[0].pointer, "/system/acceleratorData/accelerators/0/mine/0/a~0~1b");
}

TEST(SpecReaderChecks, UnknownKeysWarnAndNearMissesNameTheKeyMeant) {
  struct Case {
    std::string_view from, to, pointer, meant;
  };
  const std::vector<Case> cases = {
      {"\"maxQueueSize\"", "\"max_queue_size\"", "/system/serverData/servers/0/max_queue_size",
       "maxQueueSize"},
      {"\"maxQueueSize\"", "\"maxQueSize\"", "/system/serverData/servers/0/maxQueSize",
       "maxQueueSize"},
      {"\"slo-itl\"", "\"sloITL\"",
       "/system/serviceClassData/serviceClasses/0/modelTargets/0/sloITL", "slo-itl"},
      {"\"gamma\"", "\"gama\"", "/system/modelData/models/0/perfParms/gama", "gamma"},
      {"\"capacityData\"", "\"capacity-data\"", "/system/capacity-data", "capacityData"},
      {"\"unlimited\"", "\"unlimted\"", "/system/optimizerData/optimizer/unlimted", "unlimited"},
      {"\"memSize\"", "\"colour\"", "/system/acceleratorData/accelerators/0/colour", ""}};
  for (const Case& test : cases) {
    const std::string text = replaced(kFullSpec, test.from, test.to);
    EXPECT_TRUE(errors_of(text).empty()) << test.to;
    const auto warnings = warnings_of(text);
    ASSERT_GE(warnings.size(), 1U) << test.to;
    EXPECT_EQ(warnings[0].pointer, test.pointer);
    const std::string hint =
        test.meant.empty() ? "it is ignored"
                           : "it is ignored; did you mean \"" + std::string(test.meant) + "\"?";
    EXPECT_EQ(warnings[0].hint, hint);
  }
}

TEST(SpecReaderChecks, TopLevelKeysBesideSystemWarn) {
  const auto warnings =
      warnings_of(replaced(kFullSpec, "{\"system\"", "{\"expected\": 1, \"system\""));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].pointer, "/expected");
}

TEST(SpecReaderChecks, PowerThatCountsAndIsNotKnownWarns) {
  const std::string limited =
      replaced(kFullSpec, "\"unlimited\"", "\"maxPower\": 1000, \"unlimited\"");
  EXPECT_TRUE(warnings_of(limited).empty());
  const std::size_t power = limited.find("\"power\"");
  const std::string unknown = std::string(limited).insert(power + 1, "x-");
  const auto warnings = warnings_of(unknown);
  ASSERT_EQ(warnings.size(), 2U);  // of the unknown key, too
  EXPECT_EQ(warnings[1].pointer, "/system/acceleratorData/accelerators/0");
  EXPECT_NE(warnings[1].hint.find("power counts as 0"), std::string::npos);
}

TEST(SpecReaderChecks, NamesOfNoAcceleratorWarn) {
  const auto excluded =
      warnings_of(replaced(kFullSpec, "\"keepAccelerator\"",
                           "\"excludedAccelerators\": [\"H900\"], \"keepAccelerator\""));
  ASSERT_EQ(excluded.size(), 1U);
  EXPECT_NE(excluded[0].found.find("H900"), std::string::npos);
  const SpecReadResult parts = read_system_from_string(
      replaced(kFullSpec, "\"currentAlloc\": {",
               "\"currentAlloc\": {\"parts\": [{\"accelerator\": \"G1\", \"numReplicas\": 1}, "
               "{\"accelerator\": \"G1\", \"numReplicas\": 0}], "),
      "test.json");
  EXPECT_EQ(parts.diagnostics.num_errors(), 2U) << parts.diagnostics.to_text();
}

std::string with_parts(std::string_view parts) {
  return replaced(kFullSpec, "\"currentAlloc\": {",
                  "\"currentAlloc\": {\"parts\": [" + std::string(parts) + "], ");
}

TEST(SpecReaderChecks, RepeatedPartsNameTheFirst) {
  const std::string part = "{\"accelerator\": \"G1\", \"numReplicas\": 1}";
  const auto errors = errors_of(with_parts(part + ", " + part + ", " + part));
  ASSERT_EQ(errors.size(), 2U);
  for (const int i : {1, 2}) {
    const Diagnostic& error = errors[static_cast<std::size_t>(i - 1)];
    EXPECT_EQ(error.pointer,
              "/system/serverData/servers/0/currentAlloc/parts/" + std::to_string(i));
    EXPECT_EQ(error.hint, "first at /system/serverData/servers/0/currentAlloc/parts/0");
  }
}

// Whoever compares every part with every other takes half a minute.
TEST(SpecReaderChecks, ManyPartsAreReadInTime) {
  std::string parts;
  for (int i = 0; i < 120000; ++i) {
    parts += i == 0 ? "" : ", ";
    parts += "{\"accelerator\": \"A" + std::to_string(1000000 + i) + "\", \"numReplicas\": 1}";
  }
  const std::string text = with_parts(parts);
  const testing::CpuTime time;
  EXPECT_TRUE(errors_of(text).empty());
  EXPECT_LT(time.seconds(), 8);
}

TEST(SpecReaderChecks, MoreAcceleratorsThanAreCombinedWarn) {
  // One server is offered combinations of 707 accelerators.
  for (const int accelerators : {707, 708}) {
    std::string models;
    for (int i = 1; i < accelerators; ++i) {
      models += "{\"name\": \"m1\", \"acc\": \"X" + std::to_string(i) + "\", \"perfParms\": {}}, ";
    }
    const std::string text = replaced(kFullSpec, "\"models\": [\n", "\"models\": [" + models);
    const auto of_limit = [](const std::string& spec) {
      auto warnings = warnings_of(spec);
      std::erase_if(warnings, [](const Diagnostic& warning) {
        return warning.found.find("heterogeneous") == std::string::npos;
      });
      return warnings;
    };
    EXPECT_TRUE(of_limit(text).empty());
    const auto warnings =
        of_limit(replaced(text, "\"heterogeneous\": false", "\"heterogeneous\": true"));
    ASSERT_EQ(warnings.size(), accelerators > 707 ? 1U : 0U);
    if (warnings.empty()) continue;
    EXPECT_EQ(warnings[0].pointer, "/system/modelData/models/0");
    EXPECT_NE(warnings[0].found.find("708"), std::string::npos);
    EXPECT_NE(warnings[0].expected.find("707"), std::string::npos);
  }
}

TEST(SpecReaderChecks, OptimizerFlagsWithoutEffectWarn) {
  const auto warnings =
      warnings_of(replaced(kFullSpec, "\"useCplex\": false", "\"useCplex\": true"));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].found.find("useCplex"), std::string::npos);
  EXPECT_NE(warnings[0].hint.find("ignored"), std::string::npos);
}

TEST(SpecReaderChecks, PrioritiesOutOfRangeMeanTheLowest) {
  for (const std::string_view priority :
       {"0", "-1", "101", "9223372036854775807", "99999999999999999999", "1e30"}) {
    const std::string text =
        replaced(kFullSpec, "\"priority\": 1", "\"priority\": " + std::string(priority));
    const SpecReadResult result = read_system_from_string(text, "test.json");
    EXPECT_EQ(result.diagnostics.num_errors(), 0U) << priority;
    EXPECT_EQ(result.diagnostics.num_warnings(), 1U) << priority;
    EXPECT_EQ(result.spec.service_classes.at(0).priority, kLowestPriority) << priority;
  }
}

TEST(SpecReaderChecks, PowerWithoutAnyFigureIsFine) {
  const std::string_view power =
      "{\"idle\": 50, \"full\": 350, \"midPower\": 250, \"midUtil\": 0.5}";
  for (const std::string_view other :
       {"{}", R"({"idle": 0, "full": 0, "midPower": 0, "midUtil": 0})"}) {
    EXPECT_TRUE(errors_of(replaced(kFullSpec, power, other)).empty()) << other;
  }
}

TEST(SpecReaderChecks, BatchCeilingBeyondTheLimitIsRefused) {
  // 32 * 512 / 1 is within the limit, 1048576 * 512 / 1 is not, unless the server overrides it.
  std::string text = replaced(kFullSpec, "\"avgOutTokens\": 512", "\"avgOutTokens\": 1");
  EXPECT_TRUE(errors_of(text).empty());
  text = replaced(text, "\"maxBatchSize\": 32", "\"maxBatchSize\": 1048576");
  EXPECT_TRUE(errors_of(text).empty());
  text = replaced(text, "\"maxBatchSize\": 16", "\"maxBatchSize\": 0");
  const auto errors = errors_of(text);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/system/serverData/servers/0");
  EXPECT_EQ(errors[0].expected, "at most 1048576");
  EXPECT_TRUE(errors_of(replaced(text, "\"arrivalRate\": 60.5", "\"arrivalRate\": 0")).empty())
      << "without load the ceiling is not rescaled";
}

TEST(SpecReaderChecks, DanglingReferencesWarn) {
  struct Case {
    std::string_view from, to, pointer, found;
  };
  const std::vector<Case> cases = {
      {"\"class\": \"Premium\"", "\"class\": \"Basic\"", "/system/serverData/servers/0",
       "class \"Basic\""},
      {"\"class\": \"Premium\", ", "", "/system/serverData/servers/0", "class \"Free\""},
      {"\"model\": \"m1\", \"slo-itl\"", "\"model\": \"m2\", \"slo-itl\"",
       "/system/serverData/servers/0", "class \"Premium\" without a target for model \"m1\""},
      {"\"name\": \"m1\"", "\"name\": \"m2\"", "/system/serverData/servers/0", "model \"m1\""},
      {"\"acc\": \"G1\"", "\"acc\": \"G9\"", "/system/modelData/models/0", "acc \"G9\""},
      {"\"accelerator\": \"G1\", \"num", "\"accelerator\": \"G9\", \"num",
       "/system/serverData/servers/0", "currentAlloc on accelerator \"G9\""},
      {"\"type\": \"G\", \"count\"", "\"type\": \"H\", \"count\"",
       "/system/acceleratorData/accelerators/0", "type \"G\" without a capacity"}};
  for (const Case& test : cases) {
    const std::string text = replaced(kFullSpec, test.from, test.to);
    EXPECT_TRUE(errors_of(text).empty()) << test.to;
    const auto warnings = warnings_of(text);
    ASSERT_EQ(warnings.size(), 1U) << test.to;
    EXPECT_EQ(warnings[0].pointer, test.pointer);
    EXPECT_EQ(warnings[0].found, test.found);
  }
}

TEST(SpecReaderChecks, UnlimitedCapacityNeedsNoCapacityEntries) {
  const std::string text =
      replaced(replaced(kFullSpec, "\"unlimited\": false", "\"unlimited\": true"),
               "[{\"type\": \"G\", \"count\": 16}]", "[]");
  EXPECT_TRUE(warnings_of(text).empty());
}

TEST(SpecReaderChecks, RefusedNamesRaiseNoWarningsAboutReferences) {
  EXPECT_TRUE(warnings_of(replaced(kFullSpec, "\"acc\": \"G1\"", "\"acc\": 3")).empty());
}

}  // namespace
}  // namespace tonnage::test
