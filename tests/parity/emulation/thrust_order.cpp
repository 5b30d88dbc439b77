// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Orders lines with Thrust's host system.
#include <thrust/execution_policy.h>

#include "cuda/src/search/order_lines.hpp"
#include "thrust_order.hpp"

#if THRUST_DEVICE_SYSTEM != THRUST_DEVICE_SYSTEM_CPP
#error "Thrust's C++ system must stand in for the device here"
#endif

namespace tonnage::test {

void order_on_thrust_host(const cuda::ChunkRows& rows, const cuda::LineOrder& to,
                          std::int64_t count) {
  cuda::order_lines(thrust::device, rows, to, count);
}

}  // namespace tonnage::test
