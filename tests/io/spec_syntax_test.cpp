// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What is no JSON is refused with line and column, and nothing a file holds can crash the reader.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

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
      {"{\"system\": {\n\n  \"a\": nil}}", "/system", "line 3, column 9"},
      {"{\"system\": {}} x", "", "line 1, column 16"},
      {"{\"a\": [1, 2,\n]}", "/a", "line 2, column 1"},
      {"{\"a\": \"\xff\"}", "", "line 1, column 8"}};
  for (const Case& test : cases) {
    const auto errors = errors_of(test.text);
    ASSERT_EQ(errors.size(), 1U) << test.text;
    EXPECT_EQ(errors[0].pointer, test.pointer) << test.text;
    EXPECT_NE(errors[0].found.find(test.place), std::string::npos) << errors[0].found;
  }
}

// A number beyond float64 is a wrong value at its own place, and hides no other problem.
TEST(SpecSyntax, NumbersBeyondFloat64NameTheirOwnPlace) {
  const std::vector<std::string> numbers = {"1e309",      "-1e309",        "1e9999",
                                            "-2.5E+9999", "1e40000000000", std::string(5000, '9')};
  for (const std::string& number : numbers) {
    SCOPED_TRACE(number);
    std::string text = replaced(kFullSpec, "40.25", number);
    text = replaced(text, "\"count\": 16", "\"count\": " + number);
    text = replaced(text, "\"beta\": 0.25", "\"beta\": -1");
    const auto errors = errors_of(text);
    ASSERT_EQ(errors.size(), 3U);
    EXPECT_EQ(errors[0].pointer, "/system/acceleratorData/accelerators/0/cost");
    EXPECT_EQ(errors[0].found.substr(0, 60), number.substr(0, 60));
    EXPECT_EQ(errors[0].expected, "a number from 0 to 1e+15");
    EXPECT_EQ(errors[1].pointer, "/system/capacityData/count/0/count");
    EXPECT_EQ(errors[1].found.substr(0, 60), number.substr(0, 60));
    EXPECT_EQ(errors[2].pointer, "/system/modelData/models/0/perfParms/beta");
  }
}

// Words for values that are not finite are errors, also under unknown keys; each has its own place.
TEST(SpecSyntax, NumbersThatAreNotFiniteNameTheirOwnPlace) {
  for (const std::string word : {"NaN", "nan", "-nan", "Infinity", "-Infinity", "+inf", "INF"}) {
    SCOPED_TRACE(word);
    const auto errors =
        errors_of("{\"x\": [0e0, " + word + ", \"" + word + "\"], \"y\": " + word + ", \"x\": 1}");
    ASSERT_EQ(errors.size(), 3U);
    EXPECT_EQ(errors[0].pointer, "/x/1");
    EXPECT_EQ(errors[0].found, word);
    EXPECT_EQ(errors[0].expected, "a finite number");
    EXPECT_EQ(errors[1].pointer, "/y");
    EXPECT_EQ(errors[2].found, "the key \"x\" a second time");
  }
  // A later syntax error keeps its line and column.
  const auto errors = errors_of("{\"a\": -Infinity,\n \"b\": NaN, \"c\": tru}");
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[1].pointer, "/b");
  EXPECT_NE(errors[2].found.find("line 2, column 20"), std::string::npos) << errors[2].found;
}

// The spelling that stands in for such numbers while they are read means what it says.
TEST(SpecSyntax, ZerosOfEverySpellingAreZeros) {
  std::string text = replaced(kFullSpec, "\"alpha\": 8.5", "\"alpha\": 0e0");
  EXPECT_TRUE(errors_of(text).empty());
  const auto errors = errors_of(replaced(text, "40.25", "1e999"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].found, "1e999");
  EXPECT_TRUE(errors_of(replaced(text, "40.25", "1e-99999")).empty());
}

// The JSON parser alone would take it for the end of the text.
TEST(SpecSyntax, NulBytesAreErrorsWithTheirPlace) {
  using namespace std::string_literals;
  struct Case {
    std::string text, pointer, place;
  };
  const std::string lines =
      std::to_string(1 + std::count(kFullSpec.begin(), kFullSpec.end(), '\n'));
  const std::vector<Case> cases = {
      {"\0"s, "", "line 1, column 1"},
      {"\0\0\0\0\0\0\0\0"s, "", "line 1, column 1"},
      {kFullSpec + "\0"s, "", "line " + lines + ", column 3"},
      {kFullSpec + "\n\0{ more }"s, "",
       "line " + std::to_string(std::stoi(lines) + 1) + ", column 1"},
      {"{\"system\":\n \0 {}}"s, "", "line 2, column 2"},
      {"{\"system\": {\"a\": [1, 2\0, 3]}}"s, "/system/a", "line 1, column 23"},
      {"{\"a\": \"na\0me\"}"s, "", "line 1, column 10"},
      {"{\"a\": 1\0}"s, "", "line 1, column 8"},
      {"{\"a\": tr\0ue}"s, "", "line 1, column 9"},
      {"\xEF\xBB\xBF{\0}"s, "", "line 1, column 5"}};
  for (const Case& test : cases) {
    const auto errors = errors_of(test.text);
    ASSERT_EQ(errors.size(), 1U) << test.text;
    EXPECT_EQ(errors[0].pointer, test.pointer) << test.text;
    EXPECT_EQ(errors[0].found, "a NUL byte at " + test.place) << test.text;
  }
}

TEST(SpecSyntax, OtherEncodingsAreNamed) {
  const std::string_view text = "{\"system\": {}}";
  for (const std::size_t width : {2U, 4U}) {
    for (const bool little : {false, true}) {
      for (const bool marked : {false, true}) {
        std::string encoded;
        const auto put = [&](unsigned code) {
          for (std::size_t byte = 0; byte < width; ++byte) {
            const std::size_t place = little ? byte : width - 1 - byte;
            encoded += static_cast<char>(place < 2 ? code >> (8 * place) & 0xff : 0);
          }
        };
        if (marked) put(0xFEFF);
        for (const char c : text) put(static_cast<unsigned char>(c));
        const auto errors = errors_of(encoded);
        ASSERT_EQ(errors.size(), 1U);
        EXPECT_EQ(errors[0].found.find(width == 2 ? "UTF-16 text" : "UTF-32 text"), 0U)
            << errors[0].found;
        EXPECT_EQ(errors[0].expected, "JSON in UTF-8");
      }
    }
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
