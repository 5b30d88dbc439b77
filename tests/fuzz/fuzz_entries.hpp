// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The functions that run every fuzzed input, shared by the libFuzzer programs and the corpus
// replay.
#pragma once

#include <string_view>

namespace tonnage::fuzz {

// Reads a combined spec file. Whatever reads without errors must come back equal from its own text,
// and no message may hold what a terminal obeys. Aborts when one of it fails; so do the sanitizers
// on their findings.
void spec_reader(std::string_view input);

// Reads a solution file, with the same checks as spec_reader().
void solution_reader(std::string_view input);

// Reads a plan file: a plan written from the claims must read back as the same claims.
void plan_reader(std::string_view input);

// Answers queue problems of bounded size with every command; answers must be valid JSON and
// repeatable.
void queue_problems(std::string_view input);

// Parses the input as a word on the command line: a number, a range, a size, a name.
void command_words(std::string_view input);

}  // namespace tonnage::fuzz
