// What is no JSON is refused with line and column, and nothing a file holds can crash the reader.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "spec_text.hpp"
#include "support/seed.hpp"

namespace tonnage::test {
namespace {

TEST(SpecSyntax, ErrorsNameLineAndColumn) {
  struct Case {
    std::string_view text, pointer, place;
  };
  const std::vector<Case> cases = {
      {"", "", "line 1, column 1"},
      {"{\"system\":\n  tru}", "", "line 2, column 6"},
      {"{\"system\": {\n\n  \"a\": NaN}}", "/system", "line 3, column 8"},
      {"{\"system\": {}} x", "", "line 1, column 16"},
      {"{\"a\": [1, 2,\n]}", "/a", "line 2, column 1"},
      {"{\"a\": \"\xff\"}", "", "line 1, column 8"},
      {"{\"a\": [1e99999]}", "/a", "line 1, column 14"}};
  for (const Case& test : cases) {
    const auto errors = errors_of(test.text);
    ASSERT_EQ(errors.size(), 1U) << test.text;
    EXPECT_EQ(errors[0].pointer, test.pointer) << test.text;
    EXPECT_NE(errors[0].found.find(test.place), std::string::npos) << errors[0].found;
  }
}

TEST(SpecSyntax, ByteOrderMarkIsSkipped) {
  const SpecReadResult result = read_system_from_string("\xEF\xBB\xBF" + kFullSpec, "test.json");
  EXPECT_EQ(result.diagnostics.to_text(), "");
  EXPECT_EQ(result.spec.servers.size(), 1U);
}

TEST(SpecSyntax, DeepNestingIsRefusedWithoutExhaustingTheStack) {
  for (const std::string_view step : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += step;
    const auto errors = errors_of(text);
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].found.find("64 levels"), std::string::npos);
  }
}

TEST(SpecSyntax, EveryTruncationIsRefused) {
  for (std::size_t length = 0; length < kFullSpec.size(); ++length) {
    const auto errors = errors_of(std::string_view(kFullSpec).substr(0, length));
    ASSERT_EQ(errors.size(), 1U) << "first " << length << " bytes";
    EXPECT_NE(errors[0].found.find("line "), std::string::npos);
  }
}

TEST(SpecSyntax, RandomDamageNeverCrashes) {
  std::mt19937_64 random(testing::test_seed());
  for (int round = 0; round < 2000; ++round) {
    std::string text = kFullSpec;
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 20);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
      if (text.empty()) text.push_back('{');
    }
    const SpecReadResult result = read_system_from_string(text, "test.json");
    for (const Diagnostic& diagnostic : result.diagnostics.all()) {
      ASSERT_FALSE(diagnostic.found.empty() || diagnostic.expected.empty()) << text;
    }
  }
}

TEST(SpecSyntax, FloodsOfProblemsAreCountedButNotKept) {
  std::string text = R"({"system": {"capacityData": {"count": [)";
  for (int i = 0; i < 120'000; ++i) text += "0,";
  text += "0]}}}";
  const SpecReadResult result = read_system_from_string(text, "test.json");
  EXPECT_GT(result.diagnostics.num_errors(), 120'000U);
  EXPECT_EQ(result.diagnostics.all().size(), Diagnostics::kMaxKept);
}

TEST(SpecSyntax, LongKeysAndValuesAreShortened) {
  const std::string lengthy(100'000, 'x');
  const auto warnings =
      warnings_of(replaced(kFullSpec, "{\"system\"", "{\"" + lengthy + "\": 1, \"system\""));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_LT(warnings[0].to_text().size(), 400U);
  const auto errors =
      errors_of(replaced(kFullSpec, "\"PriorityRoundRobin\"", "\"" + lengthy + "\""));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_LT(errors[0].found.size(), 100U);
}

}  // namespace
}  // namespace tonnage::test
