// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Halves of exchanges, looked up by what the other half must use and free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tonnage::price {

// A pair of moves to be completed by another: the key that the other must have, and what the two
// together save if it costs nothing.
struct Half {
  std::uint64_t key;
  double gain;
  std::uint16_t first, second;
};

// Halves by key, of each key the one that saves most. Most look-ups find nothing and end in a bit
// map that fits the second-level cache.
class HalfTable {
 public:
  void reset(std::size_t halves) {
    std::size_t size = 1024;
    while (size < 2 * halves) size *= 2;
    mask_ = size - 1;
    slots_.assign(size, {0, 0, 0, 0});
    bits_.assign(std::size_t{1} << (kFilterBits - 6), 0);
  }
  void insert(const Half& half) {
    Half& slot = find_slot(half.key);
    if (half.gain > slot.gain) slot = half;
    bits_[word(half.key)] |= bit(half.key);
  }
  [[nodiscard]] const Half* find(std::uint64_t key) {
    if ((bits_[word(key)] & bit(key)) == 0) return nullptr;
    const Half& slot = find_slot(key);
    return slot.gain > 0 ? &slot : nullptr;
  }

 private:
  static constexpr int kFilterBits = 23;

  static std::size_t word(std::uint64_t key) { return key >> (64 - kFilterBits + 6); }
  static std::uint64_t bit(std::uint64_t key) {
    return std::uint64_t{1} << (key >> (64 - kFilterBits) & 63);
  }
  Half& find_slot(std::uint64_t key) {
    std::size_t at = (key >> 17) & mask_;
    while (slots_[at].gain > 0 && slots_[at].key != key) at = (at + 1) & mask_;
    return slots_[at];
  }
  std::vector<Half> slots_;
  std::vector<std::uint64_t> bits_;
  std::size_t mask_ = 0;
};

}  // namespace tonnage::price
