// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Test tool: reads every entry of a folder (a combined file or a folder of six) in order of name
// and prints one line each: its name, then "accept" or "reject", then the first error.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "tonnage/io/solution.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace {

void print_verdict(const std::string& name, const tonnage::Diagnostics& diagnostics) {
  std::cout << name << ' ' << (diagnostics.has_errors() ? "reject" : "accept");
  for (const tonnage::Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != tonnage::Severity::kError) continue;
    std::cout << ' ' << diagnostic.to_text();
    break;
  }
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: spec_verdicts FOLDER\n";
    return 2;
  }
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) entries.push_back(entry);
  std::sort(entries.begin(), entries.end());
  for (const std::filesystem::path& entry : entries) {
    const std::string name = entry.filename().string();
    const bool is_solution = name.starts_with("solution");
    print_verdict(name, is_solution ? tonnage::read_solution(entry.string()).diagnostics
                                    : tonnage::read_system(entry.string()).diagnostics);
  }
  return 0;
}
