// Body of sweep_line_*. Included once per instruction set, after line_sizing_kernel.inl.

#include "sweep_kernel.hpp"

namespace tonnage {

std::int64_t TONNAGE_CONCAT(sweep_line_, TONNAGE_ISA)(const SweepLine& line, std::int64_t first,
                                                      std::int64_t count,
                                                      const double* reciprocals,
                                                      std::int64_t* least) {
  using namespace TONNAGE_CONCAT(simd_, TONNAGE_ISA);
  std::int64_t passed = 0;
  for (std::int64_t r = first; r < first + count; r += kLanes) {
    double lane[kLanes];
    for (int i = 0; i < kLanes; ++i) lane[i] = static_cast<double>(r + i);
    const std::int64_t lanes = first + count - r < kLanes ? first + count - r : kLanes;
    const unsigned wanted = lanes == 32 ? ~0u : (1u << lanes) - 1;
    const auto take = [&](std::int64_t n, const Mask& mask) {
      const unsigned bits = lane_bits(mask) & wanted;
      passed += __builtin_popcount(bits);
      if (bits != 0 && least[n] == 0) least[n] = r + __builtin_ctz(bits);
    };
    if (line.max_queue > 0) {
      sweep_pack<true>(line, Pack::load(lane), TabledReciprocal{reciprocals}, take);
    } else {
      sweep_pack<false>(line, Pack::load(lane), TabledReciprocal{reciprocals}, take);
    }
  }
  return passed;
}

}  // namespace tonnage
