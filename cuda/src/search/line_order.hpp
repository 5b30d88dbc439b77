// The order in which a device works on the lines of a chunk: lines that run through the same code
// side by side, longest first, so that threads of a warp run alike and the last blocks are short.
// Owns: the key lines are sorted by. Kernel bodies and the interface know nothing but the result.
#pragma once

#include <cstdint>

#include "cuda/src/search/line_kernels.hpp"

namespace tonnage::cuda {

// What an ordering writes, in device memory.
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
// Entries that the line at a position takes, by its key.
struct EntriesOfKey {
  TONNAGE_HD std::int64_t operator()(std::uint32_t key) const {
    if (key >= first_key_of_group(kLineGroups)) return 0;
    return entry_count(kMaxBatchSize - static_cast<std::int64_t>(key & ((1u << kKeyBits) - 1)));
  }
};

}  // namespace tonnage::cuda
