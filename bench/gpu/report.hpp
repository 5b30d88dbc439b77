// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Results of the check of a GPU machine. Owns: the file of results, which is complete after every
// benchmark, and the line printed for each.
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

// A time and the amount of work in it; `unit` empty: only the time is reported.
struct Measure {
  double seconds = 0;
  double count = 0;
  std::string unit;  // of what is counted, "candidates"
};

// Makes a text one line, safe for a terminal; exceptions may have several lines.
[[nodiscard]] std::string one_line(std::string text);
// Quotes a text as a JSON string.
[[nodiscard]] std::string quoted(const std::string& text);

class Report {
 public:
  // Writes nothing if `path` is empty. Throws Failure if the file cannot be written.
  explicit Report(std::string path = {}) : path_(std::move(path)) {}

  // Takes effect in the file with the next result.
  void add_context(const std::string& name, const std::string& json);
  // Prints the line of the result and rewrites the file.
  void add(const std::string& name, const Measure& measure);
  void add_failure(const std::string& name, const std::string& reason);
  // Replaces the file as a whole, so that readers never see a part of it.
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
