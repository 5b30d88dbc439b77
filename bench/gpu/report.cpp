// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes results as JSON and as lines on standard output.
#include "bench/gpu/report.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace tonnage::check {

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      json += escape;
    } else {
      json += c;
    }
  }
  return json + '"';
}

void Report::add_context(const std::string& name, const std::string& json) {
  context_ += (context_.empty() ? "" : ",\n  ") + quoted(name) + ": " + json;
}

void Report::add_result(const std::string& name, const std::string& members) {
  names_.push_back(name);
  results_ += (results_.empty() ? "\n  {\"name\": " : ",\n  {\"name\": ") + quoted(name) + ", " +
              members + "}";
  write();
}

void Report::add(const std::string& name, const Measure& m) {
  char members[200], line[80];
  std::snprintf(members, sizeof members, "\"real_time\": %.9g, \"time_unit\": \"ns\"",
                m.seconds * 1e9);
  std::snprintf(line, sizeof line, "%.4g ms", m.seconds * 1e3);
  std::string all = members;
  if (!m.unit.empty()) {
    std::snprintf(members, sizeof members, ", \"%s_per_second\": %.9g", m.unit.c_str(),
                  m.count / m.seconds);
    all += members;
    std::snprintf(line, sizeof line, "%.4g %s/s", m.count / m.seconds, m.unit.c_str());
  }
  std::printf("bench %s: %s\n", name.c_str(), line);
  std::fflush(stdout);
  add_result(name, all);
}

void Report::add_failure(const std::string& name, const std::string& reason) {
  ++failures_;
  std::printf("bench %s: FAILED: %s\n", name.c_str(), one_line(reason).c_str());
  std::fflush(stdout);
  add_result(name, "\"error_occurred\": true, \"error_message\": " + quoted(reason));
}

void Report::write() const {
  if (path_.empty()) return;
  const std::string temporary = path_ + ".tmp";
  std::ofstream out(temporary, std::ios::trunc);
  out << "{\n \"context\": {\n  " << context_ << "\n },\n \"benchmarks\": [" << results_
      << "\n ]\n}\n";
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(temporary, path_, error);
  if (!out || error) throw Failure("cannot write " + path_);
}

}  // namespace tonnage::check
