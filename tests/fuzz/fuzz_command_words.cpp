// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// libFuzzer program for words on the command line: numbers, ranges, sizes, names.
#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz_entries.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tonnage::fuzz::command_words({reinterpret_cast<const char*>(data), size});
  return 0;
}
