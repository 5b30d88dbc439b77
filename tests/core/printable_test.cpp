// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Which characters printable() keeps and which it escapes.
#include "tonnage/core/printable.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tonnage/core/error.hpp"
#include "tonnage/core/system.hpp"

namespace tonnage {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const std::string text :
       {"", "chat-1", "a\\b \"c\"", "Z\u00FCrich", "\u6F22\u5B57", "e\u0301", "\U0001F680",
        "\u0645\u0631\u062D\u0628\u0627", "a\u00A0b"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesControlAndInvisibleCharacters) {
  struct Case {
    std::string text, expected;
  };
  const std::vector<Case> cases = {
      {std::string("\0\n\t\r\x1b[2J", 8), "\\u0000\\u000a\\u0009\\u000d\\u001b[2J"},
      {"\x7f", "\\u007f"},
      {"\u0080\u0085\u009B31m\u009F", "\\u0080\\u0085\\u009b31m\\u009f"},
      {"soft\u00ADhyphen", "soft\\u00adhyphen"},
      {"\u061C\u200E\u200F", "\\u061c\\u200e\\u200f"},
      {"\u202A\u202B\u202C\u202D\u202E", "\\u202a\\u202b\\u202c\\u202d\\u202e"},
      {"\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069"},
      {"\u2028\u2029", "\\u2028\\u2029"},
      {"\u200B\u200C\u200D\u2060\uFEFF", "\\u200b\\u200c\\u200d\\u2060\\ufeff"},
      {"\uFE00\uFE0F", "\\ufe00\\ufe0f"},
      {"\uFDD0\uFFFE\uFFFF", "\\ufdd0\\ufffe\\uffff"},
      {"\U000E0041\U000E0100", "\\udb40\\udc41\\udb40\\udd00"},
      {"\U0001FFFE\U0010FFFF", "\\ud83f\\udffe\\udbff\\udfff"}};
  for (const Case& test : cases) EXPECT_EQ(printable(test.text), test.expected);
  // The neighbours of the ranges stay.
  EXPECT_EQ(printable("\u00A0\u00AE\u200A\u2010\u202F\u2070\uFE10\U000DFFFD"),
            "\u00A0\u00AE\u200A\u2010\u202F\u2070\uFE10\U000DFFFD");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(printable("\x9b"), "\\x9b");                    // CSI to a terminal of 8 bits
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");           // overlong
  EXPECT_EQ(printable("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");  // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");  // cut off
  EXPECT_EQ(printable("\xe2\x80\x1b"), "\\xe2\\x80\\u001b");
}

TEST(Printable, IsIdempotent) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(printable(printable(all)), printable(all));
}

TEST(Counted, OneIsSingular) {
  EXPECT_EQ(counted(0, "card"), "0 cards");
  EXPECT_EQ(counted(1, "card"), "1 card");
  EXPECT_EQ(counted(2, "card"), "2 cards");
}

TEST(Printable, AppliesToDescriptionsOfObjects) {
  const std::string nasty = "a\u202E\x1b\n";
  SystemSpec spec;
  AcceleratorSpec accelerator;
  accelerator.name = accelerator.type = nasty;
  spec.accelerators = {accelerator};
  ModelPerfSpec model;
  model.name = model.acc = nasty;
  spec.models = {model};
  ServiceClassSpec service_class;
  service_class.name = nasty;
  service_class.model_targets.emplace_back().model = nasty;
  spec.service_classes = {service_class};
  ServerSpec server;
  server.name = server.class_name = server.model = server.current_alloc.accelerator = nasty;
  spec.servers = {server};
  const System system(spec);
  EXPECT_EQ(system.to_string().find_first_of("\x1b\xE2"), std::string::npos);
  const Allocation now = Allocation::from_spec(server.current_alloc);
  for (const std::string& text :
       {system.find_accelerator(nasty)->to_string(), system.find_model(nasty)->to_string(),
        system.find_service_class(nasty)->to_string(), system.find_server(nasty)->to_string(),
        now.to_string(), AllocationDiff::between(&now, nullptr)->to_string()}) {
    EXPECT_EQ(text, printable(text));
    EXPECT_NE(text.find("\\u202e"), std::string::npos) << text;
  }
}

TEST(Printable, AppliesToMessagesOfErrors) {
  EXPECT_STREQ(Error(ErrorCode::kIo, "cannot read \u202Egnp.exe\n").what(),
               "cannot read \\u202egnp.exe\\u000a");
}

}  // namespace
}  // namespace tonnage
