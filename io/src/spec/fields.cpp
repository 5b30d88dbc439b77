// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads typed members of a JSON object and reports mistakes.
#include "io/src/spec/fields.hpp"

#include <cmath>

#include "io/src/files/input_text.hpp"
#include "io/src/results/text_rendering.hpp"
#include "tonnage/io/near_miss.hpp"

namespace tonnage {
namespace {

constexpr std::string_view kNonEmptyString = "a non-empty string";

std::string expectation(const IntegerRule& rule) {
  return "an integer from " + std::to_string(rule.min) + " to " + std::to_string(rule.max);
}

std::string expectation(const NumberRule& rule) {
  return "a number from " + number_text(rule.min) + " to " + number_text(rule.max);
}

}  // namespace

void Report::error(std::string pointer, std::string found, std::string expected, std::string hint) {
  diagnostics_->add({Severity::kError, file_, std::move(pointer), std::move(found),
                     std::move(expected), std::move(hint)});
}

void Report::warning(std::string pointer, std::string found, std::string expected,
                     std::string hint) {
  diagnostics_->add({Severity::kWarning, file_, std::move(pointer), std::move(found),
                     std::move(expected), std::move(hint)});
}

std::optional<JsonTree> parse_document(std::string_view text, const std::string& file,
                                       Diagnostics& diagnostics) {
  Report report(diagnostics, file);
  if (text.size() > kMaxInputBytes) {  // positions within are 32 bits wide
    report.error({}, std::to_string(text.size()) + " bytes",
                 "at most " + std::to_string(kMaxInputBytes) + " bytes");
    return std::nullopt;
  }
  std::vector<JsonTree::Problem> problems;
  auto tree = JsonTree::parse(text, problems);
  for (JsonTree::Problem& problem : problems) {
    report.error(std::move(problem.pointer), std::move(problem.found), std::move(problem.expected));
  }
  return tree;
}

std::optional<std::int64_t> exact_integer(const JsonValue& value) {
  if (value.kind() == JsonKind::kInteger) return value.integer();
  if (value.kind() != JsonKind::kNumber) return std::nullopt;
  const double number = value.number();
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (number != std::trunc(number) || number < -kBeyond || number >= kBeyond) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

Fields::Fields(const JsonValue& value, Report& report)
    : value_(value), report_(&report), is_object_(value.kind() == JsonKind::kObject) {
  if (!is_object_) {
    wrong(value, "an object");
    return;
  }
  value.for_each_child([&](const JsonValue& member) { members_.push_back({member, false}); });
}

std::optional<JsonValue> Fields::find(std::string_view key, Presence presence,
                                      std::string_view expected) {
  if (!is_object_) return std::nullopt;
  known_keys_.push_back(key);
  std::optional<JsonValue> found;
  for (Member& member : members_) {
    if (!equal_ignoring_case(member.value.key(), key)) continue;
    member.known = true;
    if (!found) {
      found = member.value;
    } else if (found->key() != member.value.key()) {  // the same spelling twice: see JsonTree
      report_->error(member.value.pointer(),
                     "the key " + quoted(member.value.key()) + " after " + quoted(found->key()),
                     "each key once per object, whatever its case");
    }
  }
  if (!found && presence == Presence::kRequired) {
    report_->error(value_.pointer(), "no key " + quoted(key),
                   std::string(expected) + " under " + quoted(key));
  }
  return found;
}

void Fields::wrong(const JsonValue& value, std::string expected) {
  report_->error(value.pointer(), value.rendering(), std::move(expected));
}

std::string Fields::name(std::string_view key) {
  const auto value = find(key, Presence::kRequired, kNonEmptyString);
  if (!value) return {};
  if (value->kind() == JsonKind::kString && !value->text().empty()) {
    return std::string(value->text());
  }
  wrong(*value, std::string(kNonEmptyString));
  return {};
}

std::string Fields::text(std::string_view key) {
  const auto value = find(key, Presence::kOptional, {});
  if (!value) return {};
  if (value->kind() == JsonKind::kString) return std::string(value->text());
  wrong(*value, "a string");
  return {};
}

bool Fields::flag(std::string_view key) {
  const auto value = find(key, Presence::kOptional, {});
  if (!value) return false;
  if (value->kind() == JsonKind::kBool) return value->boolean();
  wrong(*value, "true or false");
  return false;
}

std::int64_t Fields::integer(std::string_view key, const IntegerRule& rule) {
  const auto value = find(key, rule.presence, "an integer");
  if (!value) return 0;
  const auto integer = exact_integer(*value);
  if (integer && *integer >= rule.min && *integer <= rule.max) return *integer;
  wrong(*value, expectation(rule));
  return 0;
}

double Fields::number(std::string_view key, const NumberRule& rule) {
  return number_or(key, 0, rule);
}

double Fields::number_or(std::string_view key, double absent, const NumberRule& rule) {
  const auto value = find(key, rule.presence, "a number");
  if (!value) return absent;
  if (value->kind() == JsonKind::kInteger || value->kind() == JsonKind::kNumber) {
    const double number = value->number();
    if (number >= rule.min && number <= rule.max) return number == 0 ? 0 : number;  // no -0
  }
  wrong(*value, expectation(rule));
  return absent;
}

std::optional<JsonValue> Fields::object(std::string_view key, Presence presence) {
  const auto value = find(key, presence, "an object");
  if (!value || value->kind() == JsonKind::kObject) return value;
  wrong(*value, "an object");
  return std::nullopt;
}

std::optional<JsonValue> Fields::array(std::string_view key, Presence presence) {
  const auto value = find(key, presence, "an array");
  if (!value || value->kind() == JsonKind::kArray) return value;
  wrong(*value, "an array");
  return std::nullopt;
}

std::optional<JsonValue> Fields::any(std::string_view key) {
  return find(key, Presence::kOptional, {});
}

void Fields::finish(UnknownKeys unknown_keys) {
  if (unknown_keys == UnknownKeys::kIgnore) return;
  for (const Member& member : members_) {
    if (member.known) continue;
    if (report_->full(Severity::kWarning)) {  // only counted: spare the guess
      report_->warning({}, {}, {});
      continue;
    }
    const std::string_view meant = nearest_word(member.value.key(), known_keys_);
    report_->warning(
        member.value.pointer(), "the unknown key " + quoted(member.value.key()), "a known key",
        meant.empty() ? "it is ignored" : "it is ignored; did you mean " + quoted(meant) + "?");
  }
}

}  // namespace tonnage
