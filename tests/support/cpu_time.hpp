// Processor time, which a busy machine does not stretch.
#pragma once

#include <ctime>

namespace tonnage::testing {

// Of this process since construction, all threads together.
class CpuTime {
 public:
  [[nodiscard]] double seconds() const {
    return static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC;
  }

 private:
  std::clock_t start_ = std::clock();
};

}  // namespace tonnage::testing
