// What the check measures and how it is written down. Owns: the file of results, which is whole
// after every benchmark, and the line that each prints.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tonnage::check {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A time, and how much was done in it; `unit` empty: the time alone counts.
struct Measure {
  double seconds = 0;
  double count = 0;
  std::string unit;  // of what is counted, "candidates"
};

// In one line, fit for a terminal: what an exception says may have several.
[[nodiscard]] std::string one_line(std::string text);
// As a string of JSON.
[[nodiscard]] std::string quoted(const std::string& text);

class Report {
 public:
  // With no path nothing is written. Throws Failure where the file cannot be.
  explicit Report(std::string path = {}) : path_(std::move(path)) {}

  // Seen in the file from the next result on.
  void add_context(const std::string& name, const std::string& json);
  // Each prints its line and writes the file anew.
  void add(const std::string& name, const Measure& measure);
  void add_failure(const std::string& name, const std::string& reason);
  // Replaces the file as a whole: whoever reads it never sees half of one.
  void write() const;

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  void add_result(const std::string& name, const std::string& members);

  std::string path_;
  std::string context_, results_;
  std::vector<std::string> names_;
  int failures_ = 0;
};

}  // namespace tonnage::check
