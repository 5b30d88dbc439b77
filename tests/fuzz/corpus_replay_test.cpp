// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Puts the kept corpus through the same functions as the fuzzers, with any compiler.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/fuzz_entries.hpp"

namespace tonnage::fuzz {
namespace {

int replay(void (*entry)(std::string_view)) {
  int inputs = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(TONNAGE_FUZZ_CORPUS)) {
    if (!file.is_regular_file()) continue;
    SCOPED_TRACE(file.path().string());
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    entry(text);
    ++inputs;
  }
  return inputs;
}

TEST(CorpusReplay, SpecReader) { EXPECT_GT(replay(spec_reader), 0); }
TEST(CorpusReplay, SolutionReader) { EXPECT_GT(replay(solution_reader), 0); }
TEST(CorpusReplay, PlanReader) { EXPECT_GT(replay(plan_reader), 0); }
TEST(CorpusReplay, QueueProblems) { EXPECT_GT(replay(queue_problems), 0); }
TEST(CorpusReplay, CommandWords) { EXPECT_GT(replay(command_words), 0); }

}  // namespace
}  // namespace tonnage::fuzz
