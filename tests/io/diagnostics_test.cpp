// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The text and JSON forms of diagnostics.
#include "tonnage/io/diagnostics.hpp"

#include <gtest/gtest.h>

namespace tonnage::test {
namespace {

const Diagnostic kError{Severity::kError, "a.json", "/x/0", "-3", "a number of at least 0", "why"};
const Diagnostic kWarning{Severity::kWarning, "b.json", "", "\"q\"", "a known key", ""};

TEST(Diagnostics, TextHasOneLinePerProblemErrorsFirst) {
  Diagnostics diagnostics;
  EXPECT_EQ(diagnostics.to_text(), "");
  diagnostics.add(kWarning);
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.add(kError);
  EXPECT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(diagnostics.to_text(),
            "a.json: /x/0: error: found -3, expected a number of at least 0 (why)\n"
            "b.json: warning: found \"q\", expected a known key\n");
}

TEST(Diagnostics, TextCanBeLimited) {
  Diagnostics diagnostics;
  for (int i = 0; i < 5; ++i) diagnostics.add(kError);
  diagnostics.add(kWarning);
  const std::string line = kError.to_text() + '\n';
  EXPECT_EQ(diagnostics.to_text(2),
            line + line + "and 3 more errors\n" + kWarning.to_text() + '\n');
  EXPECT_EQ(diagnostics.to_text(4).find("and 1 more error\n"), 4 * line.size());
}

TEST(Diagnostics, TextStaysOnOneLine) {
  Diagnostic diagnostic = kError;
  diagnostic.file = "a\nb";
  diagnostic.pointer = "/\x1b[31m";
  EXPECT_EQ(diagnostic.to_text(),
            "a\\u000ab: /\\u001b[31m: error: found -3, expected a number of at least 0 (why)");
}

TEST(Diagnostics, JsonHoldsBothListsAndReplacesBytesThatAreNoUtf8) {
  Diagnostics diagnostics;
  diagnostics.add(kError);
  diagnostics.add({Severity::kWarning, "\xff", "/\"", "f", "e", ""});
  EXPECT_EQ(diagnostics.to_json(), R"({
  "errors": [
    {
      "file": "a.json",
      "pointer": "/x/0",
      "found": "-3",
      "expected": "a number of at least 0",
      "hint": "why"
    }
  ],
  "warnings": [
    {
      "file": ")"
                                   "\xEF\xBF\xBD"
                                   R"(",
      "pointer": "/\"",
      "found": "f",
      "expected": "e",
      "hint": ""
    }
  ]
}
)");
}

TEST(Diagnostics, KeepsTheFirstOfEachSeverityAndCountsAll) {
  Diagnostics diagnostics;
  for (std::size_t i = 0; i < Diagnostics::kMaxKept + 7; ++i) diagnostics.add(kWarning);
  EXPECT_TRUE(diagnostics.full(Severity::kWarning));
  diagnostics.add(kError);
  EXPECT_EQ(diagnostics.num_warnings(), Diagnostics::kMaxKept + 7);
  EXPECT_EQ(diagnostics.all().size(), Diagnostics::kMaxKept + 1);
  EXPECT_NE(diagnostics.to_text(1).find("more warnings\n"), std::string::npos);

  Diagnostics more;
  more.add(kError);
  more.append(diagnostics);
  EXPECT_EQ(more.num_errors(), 2U);
  EXPECT_EQ(more.num_warnings(), Diagnostics::kMaxKept + 7);
}

}  // namespace
}  // namespace tonnage::test
