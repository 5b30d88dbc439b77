// What is done with every fuzzed input, shared by the libFuzzer programs and the replay of the
// corpus.
#pragma once

#include <string_view>

namespace tonnage::fuzz {

// Reads a combined spec file. Whatever reads without errors must come back equal from its own text,
// and no message may hold what a terminal obeys. Aborts when one of it fails; so do the sanitizers
// on their findings.
void spec_reader(std::string_view input);

// The same for solution files.
void solution_reader(std::string_view input);

// The same for plan files: what a plan written from the claims states is read back.
void plan_reader(std::string_view input);

// Answers queue problems of bounded size by every command. Answers are JSON, the same every time.
void queue_problems(std::string_view input);

// Takes the input for a word on the command line: a number, a range, a size, a name.
void command_words(std::string_view input);

}  // namespace tonnage::fuzz
