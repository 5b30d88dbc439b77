// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads the conformance fleets as problems.
#include "conformance_problems.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tonnage/core/system.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::test {

std::vector<NamedProblem> conformance_problems() {
  std::vector<NamedProblem> problems;
  const char* folder = std::getenv("TONNAGE_CONFORMANCE_DIR");
  if (folder == nullptr) return problems;
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(folder) / "fleets")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const SpecReadResult read = read_system(file.string());
    EXPECT_FALSE(read.diagnostics.has_errors()) << file << read.diagnostics.to_text();
    problems.push_back({file.filename().string(), build_problem(System(read.spec))});
  }
  return problems;
}

}  // namespace tonnage::test
