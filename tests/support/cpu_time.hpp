// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Processor time of a test, which does not depend on the load of the machine.
#pragma once

#include <ctime>

namespace tonnage::testing {

// Processor seconds of this process since construction, over all threads.
class CpuTime {
 public:
  [[nodiscard]] double seconds() const {
    return static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC;
  }

 private:
  std::clock_t start_ = std::clock();
};

}  // namespace tonnage::testing
