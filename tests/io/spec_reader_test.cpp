// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Every field is read, every kind of wrong value is refused with its place and what was expected.
#include "tonnage/io/spec_reader.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <ostream>

#include "spec_text.hpp"

namespace tonnage::test {
namespace {

TEST(SpecReader, ReadsEveryField) {
  const SpecReadResult result = read_system_from_string(kFullSpec, "test.json");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  const AcceleratorSpec accelerator{
      .name = "G1",
      .type = "G",
      .multiplicity = 2,
      .mem_size_gb = 80,
      .mem_bw_gb_per_s = 2000.5,
      .power = {.idle_w = 50, .full_w = 350, .mid_power_w = 250, .mid_util = 0.5},
      .cost_cents_per_hour = 40.25};
  const ModelPerfSpec model{.name = "m1",
                            .acc = "G1",
                            .acc_count = 1,
                            .max_batch_size = 32,
                            .at_tokens = 512,
                            .perf_parms = {.alpha_ms = 8.5, .beta_ms = 0.25, .gamma_ms = 0.0005},
                            .max_num_tokens = 4096};
  const ServiceClassSpec service_class{
      .name = "Premium",
      .priority = 1,
      .model_targets = {{.model = "m1", .slo_itl_ms = 24, .slo_ttft_ms = 500, .slo_tps = 0}}};
  const AllocationSpec current{.accelerator = "G1",
                               .num_replicas = 3,
                               .max_batch = 16,
                               .cost_cents_per_hour = 120.75,
                               .itl_average_ms = 20.5,
                               .ttft_average_ms = 300.25,
                               .load = {.arrival_rate_per_min = 60.5,
                                        .throughput = 1,
                                        .avg_in_tokens = 128,
                                        .avg_out_tokens = 512}};
  const ServerSpec server{.name = "s1",
                          .class_name = "Premium",
                          .model = "m1",
                          .keep_accelerator = true,
                          .min_num_replicas = 1,
                          .max_num_replicas = 9,
                          .max_batch_size = 16,
                          .max_queue_size = 160,
                          .max_num_tokens = 2048,
                          .current_alloc = current,
                          .desired_alloc = {}};
  const OptimizerSpec optimizer{.unlimited = false,
                                .heterogeneous = false,
                                .milp_solver = false,
                                .delayed_best_effort = true,
                                .saturation_policy = SaturationPolicy::kPriorityRoundRobin};
  const SystemSpec expected{.accelerators = {accelerator},
                            .capacities = {{.type = "G", .count = 16}},
                            .models = {model},
                            .service_classes = {service_class},
                            .servers = {server},
                            .optimizer = optimizer};
  EXPECT_EQ(result.spec, expected);
}

TEST(SpecReader, AbsentFieldsTakeTheirDefaults) {
  const SpecReadResult result = read_system_from_string(
      R"({"system": {"acceleratorData": {"accelerators": [
            {"name": "G1", "type": "G", "multiplicity": 1, "cost": 0}]},
          "modelData": {"models": [{"name": "m", "acc": "G1", "perfParms": {}}]},
          "serviceClassData": {"serviceClasses": [{"name": "c"}]},
          "serverData": {"servers": [{"name": "s", "model": "m", "currentAlloc":
            {"load": {"arrivalRate": 0, "avgInTokens": 0, "avgOutTokens": 0}}}]}}})",
      "test.json");
  ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.to_text();
  EXPECT_EQ(result.spec.service_classes.at(0).priority, kLowestPriority);
  ServerSpec server;
  server.name = "s";
  server.model = "m";
  EXPECT_EQ(result.spec.servers.at(0), server);
  EXPECT_EQ(result.spec.models.at(0), (ModelPerfSpec{.name = "m", .acc = "G1", .perf_parms = {}}));
  EXPECT_EQ(result.spec.optimizer, OptimizerSpec{});
}

TEST(SpecReader, KeysMatchWhateverTheirCase) {
  std::string upper = kFullSpec;
  bool in_string = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    if (upper[i] != '"') continue;
    in_string = !in_string;
    if (in_string) {
      start = i;
    } else if (i + 1 < upper.size() && upper[i + 1] == ':') {
      for (std::size_t j = start; j < i; ++j) {
        upper[j] = static_cast<char>(std::toupper(static_cast<unsigned char>(upper[j])));
      }
    }
  }
  ASSERT_NE(upper, kFullSpec);
  const SpecReadResult result = read_system_from_string(upper, "test.json");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.spec, read_system_from_string(kFullSpec, "test.json").spec);
}

TEST(SpecReader, IntegersMayBeWrittenAsExactFloats) {
  const std::string text =
      replaced(replaced(kFullSpec, "\"multiplicity\": 2", "\"multiplicity\": 2.0"),
               "\"avgInTokens\": 128", "\"avgInTokens\": 1.28e2");
  const SpecReadResult result = read_system_from_string(text, "test.json");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.spec.servers.at(0).current_alloc.load.avg_in_tokens, 128);
}

// One change to the full spec that must be refused, at one place.
struct Refusal {
  std::string_view from;
  std::string_view to;
  std::string_view pointer;
  std::string_view found;
  std::string_view expected;

  friend void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.to; }
};

class SpecReaderRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(SpecReaderRefuses, Value) {
  const Refusal& refusal = GetParam();
  const auto errors = errors_of(replaced(kFullSpec, refusal.from, refusal.to));
  ASSERT_EQ(errors.size(), 1U) << ::testing::PrintToString(refusal);
  EXPECT_EQ(errors[0].file, "test.json");
  EXPECT_EQ(errors[0].pointer, refusal.pointer);
  EXPECT_EQ(errors[0].found, refusal.found);
  EXPECT_NE(errors[0].expected.find(refusal.expected), std::string::npos) << errors[0].expected;
}

#define AT_ACCELERATOR "/system/acceleratorData/accelerators/0"
#define AT_MODEL "/system/modelData/models/0"
#define AT_CLASS "/system/serviceClassData/serviceClasses/0"
#define AT_SERVER "/system/serverData/servers/0"
#define AT_LOAD AT_SERVER "/currentAlloc/load"

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, SpecReaderRefuses,
    ::testing::Values(
        Refusal{"\"name\": \"G1\"", "\"name\": 7", AT_ACCELERATOR "/name", "7", "non-empty string"},
        Refusal{"\"type\": \"G\"", "\"type\": null", AT_ACCELERATOR "/type", "null", "string"},
        Refusal{"\"multiplicity\": 2", "\"multiplicity\": \"2\"", AT_ACCELERATOR "/multiplicity",
                "\"2\"", "an integer from 1"},
        Refusal{"\"memBW\": 2000.5", "\"memBW\": true", AT_ACCELERATOR "/memBW", "true", "number"},
        Refusal{"\"cost\": 40.25", "\"cost\": [40]", AT_ACCELERATOR "/cost", "an array", "number"},
        Refusal{"\"perfParms\": {\"alpha\": 8.5, \"beta\": 0.25, \"gamma\": 0.0005}",
                "\"perfParms\": 8", AT_MODEL "/perfParms", "8", "an object"},
        Refusal{"[{\"type\": \"G\", \"count\": 16}]", "{}", "/system/capacityData/count",
                "an object", "an array"},
        Refusal{"[{\"type\": \"G\", \"count\": 16}]", "[3]", "/system/capacityData/count/0", "3",
                "an object"},
        Refusal{"\"class\": \"Premium\"", "\"class\": 3", AT_SERVER "/class", "3", "a string"},
        Refusal{"\"keepAccelerator\": true", "\"keepAccelerator\": 1", AT_SERVER "/keepAccelerator",
                "1", "true or false"},
        Refusal{"\"priority\": 1", "\"priority\": \"1\"", AT_CLASS "/priority", "\"1\"",
                "an integer from 1 to 100"}));

INSTANTIATE_TEST_SUITE_P(
    WrongNumbers, SpecReaderRefuses,
    ::testing::Values(
        Refusal{"\"cost\": 40.25", "\"cost\": -0.5", AT_ACCELERATOR "/cost", "-0.5", "from 0 to"},
        Refusal{"\"cost\": 40.25", "\"cost\": 2e15", AT_ACCELERATOR "/cost", "2e+15", "from 0 to"},
        Refusal{"\"cost\": 40.25", "\"cost\": 1e999", AT_ACCELERATOR "/cost", "1e999", "from 0 to"},
        Refusal{"\"cost\": 40.25", "\"cost\": -1e400", AT_ACCELERATOR "/cost", "-1e400",
                "from 0 to"},
        Refusal{"\"alpha\": 8.5", "\"alpha\": -8.5", AT_MODEL "/perfParms/alpha", "-8.5",
                "from 0 to"},
        Refusal{"\"slo-itl\": 24", "\"slo-itl\": -24", AT_CLASS "/modelTargets/0/slo-itl", "-24",
                "from 0 to"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-ttft-percentile\": 49.9",
                AT_CLASS "/modelTargets/0/slo-ttft-percentile", "49.9", "from 50 to 99.9"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-ttft-percentile\": 100",
                AT_CLASS "/modelTargets/0/slo-ttft-percentile", "100", "from 50 to 99.9"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-ttft-percentile\": \"p95\"",
                AT_CLASS "/modelTargets/0/slo-ttft-percentile", "\"p95\"", "from 50 to 99.9"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-e2e\": -1",
                AT_CLASS "/modelTargets/0/slo-e2e", "-1", "from 0 to"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-drop\": 1",
                AT_CLASS "/modelTargets/0/slo-drop", "1", "below 1"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-drop\": 1e-16",
                AT_CLASS "/modelTargets/0/slo-drop", "1e-16", "below 1"},
        Refusal{"\"slo-tps\": 0", "\"slo-tps\": 0, \"slo-drop\": true",
                AT_CLASS "/modelTargets/0/slo-drop", "true", "below 1"},
        Refusal{"\"multiplicity\": 2", "\"multiplicity\": 0", AT_ACCELERATOR "/multiplicity", "0",
                "from 1"},
        Refusal{"\"multiplicity\": 2", "\"multiplicity\": 1.5", AT_ACCELERATOR "/multiplicity",
                "1.5", "an integer"},
        Refusal{"\"priority\": 1", "\"priority\": 1.5", AT_CLASS "/priority", "1.5", "an integer"},
        Refusal{"\"count\": 16", "\"count\": -16", "/system/capacityData/count/0/count", "-16",
                "from 0 to 1000000000"},
        Refusal{"\"count\": 16", "\"count\": 1000000001", "/system/capacityData/count/0/count",
                "1000000001", "from 0 to 1000000000"},
        Refusal{"\"avgInTokens\": 128", "\"avgInTokens\": 99999999999999999999",
                AT_LOAD "/avgInTokens", "1e+20", "from 0 to 1000000000"},
        Refusal{"\"minNumReplicas\": 1", "\"minNumReplicas\": 1000000001",
                AT_SERVER "/minNumReplicas", "1000000001", "from 0 to 1000000000"},
        Refusal{"\"maxBatchSize\": 32", "\"maxBatchSize\": 1048577", AT_MODEL "/maxBatchSize",
                "1048577", "from 0 to 1048576"},
        Refusal{"\"maxBatchSize\": 16", "\"maxBatchSize\": 1048577", AT_SERVER "/maxBatchSize",
                "1048577", "from 0 to 1048576"},
        Refusal{"\"maxQueueSize\": 160", "\"maxQueueSize\": 1000001", AT_SERVER "/maxQueueSize",
                "1000001", "from 0 to 1000000"},
        Refusal{"\"arrivalRate\": 60.5", "\"arrivalRate\": 1000000000001", AT_LOAD "/arrivalRate",
                "1000000000001", "from 0 to 1e+12"},
        Refusal{"\"midUtil\": 0.5", "\"midUtil\": 1", AT_ACCELERATOR "/power", "midUtil 1",
                "below 1"},
        Refusal{", \"midUtil\": 0.5", "", AT_ACCELERATOR "/power", "midUtil 0", "above 0"}));

INSTANTIATE_TEST_SUITE_P(
    WrongNames, SpecReaderRefuses,
    ::testing::Values(
        Refusal{"\"name\": \"m1\"", "\"name\": \"\"", AT_MODEL "/name", "\"\"", "non-empty"},
        Refusal{"\"acc\": \"G1\"", "\"acc\": \"\"", AT_MODEL "/acc", "\"\"", "non-empty"},
        Refusal{"\"name\": \"s1\", ", "", AT_SERVER, "no key \"name\"", "non-empty string"},
        Refusal{", \"cost\": 40.25", "", AT_ACCELERATOR, "no key \"cost\"", "a number"},
        Refusal{"\"arrivalRate\": 60.5, ", "", AT_LOAD, "no key \"arrivalRate\"", "a number"},
        Refusal{"\"PriorityRoundRobin\"", "\"Fair\"",
                "/system/optimizerData/optimizer/saturationPolicy", "\"Fair\"",
                "one of \"None\", \"PriorityExhaustive\", \"PriorityRoundRobin\", \"RoundRobin\""},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"headroom\": 1",
                "/system/optimizerData/optimizer/headroom", "1", "a number from 0 to 0.99"},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"headroom\": -0.1",
                "/system/optimizerData/optimizer/headroom", "-0.1", "a number from 0 to 0.99"},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"spareReplicas\": 1.5",
                "/system/optimizerData/optimizer/spareReplicas", "1.5", "an integer"},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"pue\": 0.9",
                "/system/optimizerData/optimizer/pue", "0.9", "a number from 1 to 10"},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"maxCost\": -1",
                "/system/optimizerData/optimizer/maxCost", "-1", "a number from 0"},
        Refusal{"\"PriorityRoundRobin\"", "\"None\", \"maxChanges\": 0.5",
                "/system/optimizerData/optimizer/maxChanges", "0.5", "an integer"},
        Refusal{"\"model\": \"m1\", \"keepAcc",
                "\"model\": \"m1\", \"excludedAccelerators\": [3], \"keepAcc",
                AT_SERVER "/excludedAccelerators/0", "3", "a non-empty string"},
        Refusal{"\"acceleratorData\"", "\"elsewhere\"", "/system", "no key \"acceleratorData\"",
                "an object"},
        Refusal{"\"servers\"", "\"elsewhere\"", "/system/serverData", "no key \"servers\"",
                "an array"},
        Refusal{"\"system\"", "\"elsewhere\"", "", "no key \"system\"", "an object"}));

TEST(SpecReader, AcceptsEveryLimitItself) {
  std::string text = kFullSpec;
  text = replaced(text, "\"arrivalRate\": 60.5", "\"arrivalRate\": 1e12");
  text = replaced(text, "\"maxQueueSize\": 160", "\"maxQueueSize\": 1000000");
  text = replaced(text, "\"maxBatchSize\": 16", "\"maxBatchSize\": 1048576");
  text = replaced(text, "\"maxBatchSize\": 32", "\"maxBatchSize\": 1048576");
  text = replaced(text, "\"minNumReplicas\": 1", "\"minNumReplicas\": 1000000000");
  text = replaced(text, "\"avgInTokens\": 128", "\"avgInTokens\": 1000000000");
  EXPECT_EQ(read_system_from_string(text, "test.json").diagnostics.to_text(), "");
}

TEST(SpecReader, ReportsAllProblemsAtOnce) {
  std::string text = kFullSpec;
  text = replaced(text, "\"multiplicity\": 2", "\"multiplicity\": 0");
  text = replaced(text, "\"cost\": 40.25", "\"cost\": 1e999");
  text = replaced(text, "\"count\": 16", "\"count\": -1");
  text = replaced(text, "\"gamma\": 0.0005", "\"gamma\": \"small\"");
  text = replaced(text, "\"model\": \"m1\", \"slo-itl\"", "\"slo-itl\"");
  text = replaced(text, "\"model\": \"m1\", \"keep", "\"modell\": \"m1\", \"keep");
  text = replaced(text, "\"avgOutTokens\": 512", "\"avgOutTokens\": 0.5");
  text = replaced(text, "\"PriorityRoundRobin\"", "\"PriorityRoundrobin\"");
  const auto errors = errors_of(text);
  std::vector<std::string> pointers;
  for (const Diagnostic& error : errors) pointers.push_back(error.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{
                          AT_ACCELERATOR "/multiplicity", AT_ACCELERATOR "/cost",
                          "/system/capacityData/count/0/count", AT_MODEL "/perfParms/gamma",
                          AT_CLASS "/modelTargets/0", AT_SERVER, AT_LOAD "/avgOutTokens",
                          "/system/optimizerData/optimizer/saturationPolicy"}));
  EXPECT_EQ(errors.back().hint, "did you mean \"PriorityRoundRobin\"?");
}

TEST(SpecReader, ReadsEveryConformanceCase) {
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) GTEST_SKIP() << "TONNAGE_CONFORMANCE_DIR is not set";
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(folder) + "/fleets")) {
    const SpecReadResult result = read_system(entry.path().string());
    EXPECT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.to_text();
    EXPECT_FALSE(result.spec.servers.empty());
    ++cases;
  }
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace tonnage::test
