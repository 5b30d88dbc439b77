// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The list of all kernels that a stream can run. To add one, write a struct with arguments and a
// body, and list it here; the device and the emulation launch whatever is listed.
#pragma once

#include <variant>

#include "cuda/src/grid/point_kernels.hpp"
#include "cuda/src/grid/table_kernels.hpp"
#include "cuda/src/search/line_kernels.hpp"
#include "cuda/src/search/settle_kernels.hpp"

namespace tonnage::cuda {

// Threads per block of every kernel.
inline constexpr int kBlockThreads = 128;

// A kernel with one thread per item has operator()(item); one with a warp per item has
// operator()(warp, item).
using Kernel = std::variant<
    FillReciprocals, FillInverseMu, SizePlainLines, SizeUnevenLines, SizePercentileLines,
    StartSearches, SweepLines<false, false, false>, SweepLines<false, false, true>,
    SweepLines<false, true, false>, SweepLines<false, true, true>, SweepLines<true, false, false>,
    SweepLines<true, false, true>, SweepLines<true, true, false>, SweepLines<true, true, true>,
    SettleFirst, SettleLines, FillPieceRates, SizeTableRows, FillTable<false, false>,
    FillTable<false, true>, FillTable<true, false>, FillTable<true, true>, FillPercentiles,
    JudgePercentiles, DropPoints, CountPoints<false, false>, CountPoints<false, true>,
    CountPoints<true, false>, CountPoints<true, true>, WritePoints<false, false>,
    WritePoints<false, true>, WritePoints<true, false>, WritePoints<true, true>>;

// The sweep of the lines of a group, the first of them at `first`.
inline Kernel sweep_of_group(int group, const SearchRows& all, std::int64_t first) {
  const auto kind = static_cast<LineKind>(group / 4);
  const bool stepped = kind >= LineKind::kStepped;
  const bool extended = group % 4 / 2 != 0;
  const bool room = group % 2 != 0;
  const auto with_room = [&]<bool kHasRoom>() -> Kernel {
    if (stepped && extended) return SweepLines<kHasRoom, true, true>{all, first};
    if (stepped) return SweepLines<kHasRoom, true, false>{all, first};
    if (extended) return SweepLines<kHasRoom, false, true>{all, first};
    return SweepLines<kHasRoom, false, false>{all, first};
  };
  return room ? with_room.operator()<true>() : with_room.operator()<false>();
}

// The kernels of the pieces of a form (see table_form), from thread `first` on.
template <template <bool kHasRoom, bool kStepped> class Body, class Chunk>
Kernel kernel_of_form(int form, const Chunk& chunk, std::int64_t first) {
  switch (form) {
    case 0:
      return Body<false, false>{chunk, first};
    case 1:
      return Body<true, false>{chunk, first};
    case 2:
      return Body<false, true>{chunk, first};
    default:
      return Body<true, true>{chunk, first};
  }
}

}  // namespace tonnage::cuda
