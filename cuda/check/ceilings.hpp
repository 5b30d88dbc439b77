// What the chip can do at most, measured: the ceilings of the roofline.
#pragma once

namespace tonnage::check {

struct Ceilings {
  double fma_per_second = 0;            // float64 fused multiply-adds, whole device
  double to_host_bytes_per_second = 0;  // from the device to pinned memory
  double copied_bytes_per_second = 0;   // read and written bytes of a copy in device memory
};

// Measures on the calling thread's device. Throws Error (kUnavailable) when it fails.
[[nodiscard]] Ceilings measure_ceilings();

}  // namespace tonnage::check
