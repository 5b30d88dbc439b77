// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Problems found in an input, for people and for programs. Owns: one problem (Diagnostic), the
// collection of them, their text and JSON forms.
//
// Example:
//   tonnage::Diagnostics diagnostics;
//   diagnostics.add({tonnage::Severity::kError, "fleet.json", "/system", "3", "an object", ""});
//   std::fputs(diagnostics.to_text().c_str(), stderr);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tonnage {

enum class Severity {
  kError,    // the input is refused
  kWarning,  // the input is read, but probably does not say what was meant
};

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;      // as the caller named it
  std::string pointer;   // JSON pointer (RFC 6901) into the file; empty: the whole document
  std::string found;     // the offending value, shortened
  std::string expected;  // what would have been right
  std::string hint;      // more, where it helps; may be empty

  // "fleet.json: /system/...: error: found -3, expected an integer from 0 to 100 (hint)".
  [[nodiscard]] std::string to_text() const;

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

// Problems in the order in which they were found. The first kMaxKept of each severity are kept and
// the rest are counted, so that a hostile input cannot exhaust memory.
class Diagnostics {
 public:
  static constexpr std::size_t kMaxKept = 100'000;

  void add(Diagnostic diagnostic);
  void append(const Diagnostics& other);

  // The kept problems.
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  // Number of problems found, kept or not.
  [[nodiscard]] std::size_t num_errors() const noexcept { return num_errors_; }
  [[nodiscard]] std::size_t num_warnings() const noexcept { return num_warnings_; }
  [[nodiscard]] std::size_t count(Severity severity) const noexcept {
    return severity == Severity::kError ? num_errors_ : num_warnings_;
  }
  [[nodiscard]] bool has_errors() const noexcept { return num_errors_ > 0; }
  // Whether further problems of this severity are counted but not kept.
  [[nodiscard]] bool full(Severity severity) const noexcept { return count(severity) >= kMaxKept; }

  // One line per problem, each ended by a newline, errors first; empty if there is no problem. At
  // most `most` lines of each severity, then the number of further ones; 0: all kept problems.
  [[nodiscard]] std::string to_text(std::size_t most = 0) const;
  // {"errors": [...], "warnings": [...]}, each entry with file, pointer, found, expected, hint;
  // ended by a newline.
  [[nodiscard]] std::string to_json() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t num_errors_ = 0;
  std::size_t num_warnings_ = 0;
};

}  // namespace tonnage
