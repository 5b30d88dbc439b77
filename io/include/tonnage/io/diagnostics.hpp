// Problems found in input files: where, what, and what was expected.
// Owns: the report that people read and its JSON form.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tonnage {

enum class Severity { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;      // as the user named it
  std::string pointer;   // JSON pointer, "" for the whole document
  std::string found;     // the value, shortened; empty when something is missing
  std::string expected;  // what would have been right
  std::string hint;      // a further clause, e.g. the key that was probably meant

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

class Diagnostics {
 public:
  void add(Diagnostic diagnostic);
  void append(const Diagnostics& other);

  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  [[nodiscard]] std::size_t num_errors() const noexcept { return num_errors_; }
  [[nodiscard]] std::size_t num_warnings() const noexcept { return all_.size() - num_errors_; }
  [[nodiscard]] bool has_errors() const noexcept { return num_errors_ > 0; }

  // One line per problem, errors first: `file: /pointer: error: found X, expected Y (hint)`.
  // At most `most` lines of each severity, then how many more there are; 0: all.
  [[nodiscard]] std::string to_text(std::size_t most = 0) const;
  // {"errors": [...], "warnings": [...]}, each entry with file, pointer, found, expected, hint.
  [[nodiscard]] std::string to_json() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t num_errors_ = 0;
};

}  // namespace tonnage
