// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Owns TONNAGE_CHECK, which states an invariant: what the project's own code makes true, whatever
// the input. A debug or sanitizer build stops the program at a check that fails; any other build
// does not evaluate the condition. Input that is wrong is no invariant: an exception reports it.
// For sources alone, since this header is not installed.
#pragma once

#ifdef TONNAGE_CHECKS

#include <cstdio>
#include <cstdlib>

namespace tonnage {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace tonnage

#define TONNAGE_CHECK(...) \
  ((__VA_ARGS__) ? static_cast<void>(0) : ::tonnage::check_failed(#__VA_ARGS__, __FILE__, __LINE__))

#else

#define TONNAGE_CHECK(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))

#endif
