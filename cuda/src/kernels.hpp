// Every kernel a stream can be asked to run. A new one is a struct with its arguments and a body,
// and one more entry here: the device and the emulation launch whatever is listed.
#pragma once

#include <variant>

#include "line_kernels.hpp"
#include "search_kernels.hpp"

namespace tonnage::cuda {

// Threads of a block, of every kernel.
inline constexpr int kBlockThreads = 128;

// A kernel of one thread an item has operator()(item); of one warp an item, operator()(warp, item).
using Kernel = std::variant<FillReciprocals, SizePlainLines, SizeUnevenLines, StartSearches,
                            SweepLines, SettleLines>;

}  // namespace tonnage::cuda
