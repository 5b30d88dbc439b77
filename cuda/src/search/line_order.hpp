// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The order in which a device works on the lines of a chunk: lines of the same code side by side,
// the longest first, so that the threads of a warp run alike and the last blocks are short. Owns:
// the sort key of lines. Kernel bodies and the device interface know only the result.
#pragma once

#include <cstdint>

#include "cuda/src/search/line_kernels.hpp"

namespace tonnage::cuda {

// The result of an ordering, in device memory.
struct LineOrder {
  std::uint32_t* keys;        // [count] to work in
  std::int32_t* order;        // [count] line of the chunk at each position
  std::int64_t* first_entry;  // [count] see ChunkRows
  // [kLineGroups + 1] where each group begins; lines that devices leave out come last.
  std::int64_t* begin;
};

// Ascending keys: groups in their order, in each the longest lines first.
inline constexpr int kKeyBits = 21;  // of batch ceilings, up to kMaxBatchSize
TONNAGE_HD std::uint32_t first_key_of_group(int group) {
  return static_cast<std::uint32_t>(group) << kKeyBits;
}
struct KeyOfLine {
  ChunkRows rows;
  TONNAGE_HD std::uint32_t operator()(std::int32_t line) const {
    const LineRow& row = rows.lines[line];
    const ServerRow& server = rows.servers[row.server - rows.first_server];
    const PerfRow& perf = rows.perfs[row.perf];
    const int group = line_group(server, perf);
    if (group == kHostLine) return first_key_of_group(kLineGroups);
    return first_key_of_group(group) +
           static_cast<std::uint32_t>(kMaxBatchSize - batch_ceiling(server, perf));
  }
};
struct FirstKeyOfGroup {
  TONNAGE_HD std::uint32_t operator()(int group) const { return first_key_of_group(group); }
};
// Entries of the line at a position, from its key.
struct EntriesOfKey {
  TONNAGE_HD std::int64_t operator()(std::uint32_t key) const {
    if (key >= first_key_of_group(kLineGroups)) return 0;
    return entry_count(kMaxBatchSize - static_cast<std::int64_t>(key & ((1u << kKeyBits) - 1)));
  }
};

}  // namespace tonnage::cuda
