// What is done with every fuzzed input, shared by the libFuzzer programs and the replay of the
// corpus.
#pragma once

#include <string_view>

namespace tonnage::fuzz {

// Reads a combined spec file. Whatever reads without errors must come back equal from its own text.
// Aborts when it does not; so do the sanitizers on their findings.
void spec_reader(std::string_view input);

// The same for solution files.
void solution_reader(std::string_view input);

}  // namespace tonnage::fuzz
