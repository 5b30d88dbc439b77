// The text and JSON forms of diagnostics.
#include "tonnage/io/diagnostics.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "text_rendering.hpp"

namespace tonnage {
namespace {

std::string_view severity_name(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

}  // namespace

std::string Diagnostic::to_text() const {
  std::string line = one_line(file) + ": ";
  if (!pointer.empty()) line += one_line(pointer) + ": ";
  line += severity_name(severity);
  line += ": found " + found + ", expected " + expected;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
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
      text += "and " + std::to_string(total - shown) + " more ";
      text += severity_name(severity);
      text += total - shown == 1 ? "\n" : "s\n";
    }
  }
  return text;
}

std::string Diagnostics::to_json() const {
  using Json = nlohmann::ordered_json;
  Json errors = Json::array();
  Json warnings = Json::array();
  for (const Diagnostic& diagnostic : all_) {
    (diagnostic.severity == Severity::kError ? errors : warnings)
        .push_back({{"file", diagnostic.file},
                    {"pointer", diagnostic.pointer},
                    {"found", diagnostic.found},
                    {"expected", diagnostic.expected},
                    {"hint", diagnostic.hint}});
  }
  const Json report = {{"errors", std::move(errors)}, {"warnings", std::move(warnings)}};
  // File names are whatever the system gives: bytes that are no UTF-8 are replaced.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace tonnage
