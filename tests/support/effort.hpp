// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The size of tests under sanitizers.
#pragma once

namespace tonnage::testing {

// `count`, or a tenth of it under the thread sanitizer, which needs about fifty times as long:
// races show in the first few rounds.
constexpr int tries(int count) {
#if defined(__SANITIZE_THREAD__)
  return count / 10;
#else
  return count;
#endif
}

// Whether any sanitizer slows the tests down.
constexpr bool is_sanitized() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return true;
#else
  return false;
#endif
}

}  // namespace tonnage::testing
