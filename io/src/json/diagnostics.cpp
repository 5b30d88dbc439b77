// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The text and JSON forms of diagnostics.
#include "tonnage/io/diagnostics.hpp"

#include <string_view>

#include "io/src/json/json_writer.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage {
namespace {

std::string severity_name(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

}  // namespace

std::string Diagnostic::to_text() const {
  std::string line = file + ": ";
  if (!pointer.empty()) line += pointer + ": ";
  line += severity_name(severity);
  line += ": found " + found + ", expected " + expected;
  if (!hint.empty()) line += " (" + hint + ")";
  return printable(line);
}

void Diagnostics::add(Diagnostic diagnostic) {
  const bool keep = !full(diagnostic.severity);
  ++(diagnostic.severity == Severity::kError ? num_errors_ : num_warnings_);
  if (keep) all_.push_back(std::move(diagnostic));
}

void Diagnostics::append(const Diagnostics& other) {
  const std::size_t errors = num_errors_ + other.num_errors_;
  const std::size_t warnings = num_warnings_ + other.num_warnings_;
  for (const Diagnostic& diagnostic : other.all_) add(diagnostic);
  num_errors_ = errors;
  num_warnings_ = warnings;
}

std::string Diagnostics::to_text(std::size_t most) const {
  std::string text;
  for (const Severity severity : {Severity::kError, Severity::kWarning}) {
    const std::size_t total = count(severity);
    std::size_t shown = 0;
    for (const Diagnostic& diagnostic : all_) {
      if (diagnostic.severity != severity) continue;
      if (most != 0 && shown == most) break;
      text += diagnostic.to_text() + '\n';
      ++shown;
    }
    if (total > shown) {
      text += "and " +
              counted(static_cast<std::int64_t>(total - shown), "more " + severity_name(severity)) +
              "\n";
    }
  }
  return text;
}

std::string Diagnostics::to_json() const {
  // File names may hold bytes that are not UTF-8; they are replaced.
  JsonWriter json(JsonWriter::Unwritable::kReplace);
  json.begin_object();
  for (const Severity severity : {Severity::kError, Severity::kWarning}) {
    json.begin_array(severity_name(severity) + "s");
    for (const Diagnostic& diagnostic : all_) {
      if (diagnostic.severity != severity) continue;
      json.begin_object();
      json.value("file", diagnostic.file);
      json.value("pointer", diagnostic.pointer);
      json.value("found", diagnostic.found);
      json.value("expected", diagnostic.expected);
      json.value("hint", diagnostic.hint);
      json.end();
    }
    json.end();
  }
  json.end();
  return json.take();
}

}  // namespace tonnage
