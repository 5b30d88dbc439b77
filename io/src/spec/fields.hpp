// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads the members of one JSON object into typed values, and reports all mistakes. Owns: matching
// of keys in any case, ranges, unknown and repeated keys.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/src/json/json_tree.hpp"
#include "tonnage/core/spec.hpp"
#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

// Collects the problems of one file.
class Report {
 public:
  Report(Diagnostics& diagnostics, std::string file)
      : diagnostics_(&diagnostics), file_(std::move(file)) {}

  void error(std::string pointer, std::string found, std::string expected, std::string hint = {});
  void warning(std::string pointer, std::string found, std::string expected, std::string hint = {});
  [[nodiscard]] bool full(Severity severity) const { return diagnostics_->full(severity); }

 private:
  Diagnostics* diagnostics_;
  std::string file_;
};

// Parses the text of one file and reports syntax errors; absent if nothing can be read from it.
[[nodiscard]] std::optional<JsonTree> parse_document(std::string_view text, const std::string& file,
                                                     Diagnostics& diagnostics);

enum class Presence { kRequired, kOptional };

struct IntegerRule {
  std::int64_t max;
  std::int64_t min = 0;
  Presence presence = Presence::kOptional;
};

struct NumberRule {
  double max = kMaxAmount;
  double min = 0;
  Presence presence = Presence::kOptional;
};

// The integer that a value states, also written as 3.0 or 3e2; absent for anything else and beyond
// int64.
[[nodiscard]] std::optional<std::int64_t> exact_integer(const JsonValue& value);

// Each reading function looks up a key, reports a mistake, and then returns the default (0, empty,
// false, absent). Keys that no function asked for are unknown.
class Fields {
 public:
  enum class UnknownKeys { kWarn, kIgnore };

  // A value that is not an object is reported once and has no members.
  Fields(const JsonValue& value, Report& report);

  [[nodiscard]] std::string name(std::string_view key);  // required and not empty
  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] bool flag(std::string_view key);
  [[nodiscard]] std::int64_t integer(std::string_view key, const IntegerRule& rule);
  [[nodiscard]] double number(std::string_view key, const NumberRule& rule = {});
  // number() with a default other than 0.
  [[nodiscard]] double number_or(std::string_view key, double absent, const NumberRule& rule);
  [[nodiscard]] std::optional<JsonValue> object(std::string_view key, Presence presence);
  [[nodiscard]] std::optional<JsonValue> array(std::string_view key, Presence presence);
  // The raw value.
  [[nodiscard]] std::optional<JsonValue> any(std::string_view key);
  // Marks a key as known and ignores its value.
  void ignore(std::string_view key) { (void)any(key); }

  // Call last: reports the unknown keys.
  void finish(UnknownKeys unknown_keys = UnknownKeys::kWarn);

  [[nodiscard]] const JsonValue& value() const { return value_; }
  [[nodiscard]] bool is_object() const { return is_object_; }
  [[nodiscard]] Report& report() { return *report_; }

 private:
  struct Member {
    JsonValue value;
    bool known;
  };

  std::optional<JsonValue> find(std::string_view key, Presence presence, std::string_view expected);
  void wrong(const JsonValue& value, std::string expected);

  JsonValue value_;
  Report* report_;
  bool is_object_;
  std::vector<Member> members_;
  std::vector<std::string_view> known_keys_;
};

}  // namespace tonnage
