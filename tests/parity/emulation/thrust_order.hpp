// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The ordering of lines on Thrust's host system.
#pragma once

#include <cstdint>

#include "cuda/src/search/line_order.hpp"

namespace tonnage::test {

// cuda::order_lines() over host memory.
void order_on_thrust_host(const cuda::ChunkRows& rows, const cuda::LineOrder& to,
                          std::int64_t count);

}  // namespace tonnage::test
