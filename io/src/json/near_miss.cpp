// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Edit distance between short words.
#include "tonnage/io/near_miss.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace tonnage {
namespace {

constexpr char fold(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string plain(std::string_view word) {
  std::string result;
  for (char c : word) {
    if (c != '-' && c != '_' && c != ' ') result.push_back(fold(c));
  }
  return result;
}

// Insertions, removals, replacements and swaps of neighbours that lead from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);  // row i-2
  std::vector<std::size_t> above(b.size() + 1);   // row i-1
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return fold(x) == fold(y); });
}

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t kLongestWord = 64;  // nothing known is longer, and the search stays cheap
  if (word.size() > kLongestWord) return {};
  const std::string wanted = plain(word);
  std::string_view nearest;
  std::size_t nearest_distance = 4;
  for (std::string_view candidate : known) {
    const std::string other = plain(candidate);
    const std::size_t allowed =
        std::min(nearest_distance - 1, std::max(wanted.size(), other.size()) / 3);
    const std::size_t gap =
        std::max(wanted.size(), other.size()) - std::min(wanted.size(), other.size());
    if (gap > allowed) continue;
    const std::size_t distance = edit_distance(wanted, other);
    if (distance > allowed) continue;
    nearest = candidate;
    nearest_distance = distance;
    if (distance == 0) break;
  }
  return nearest;
}

}  // namespace tonnage
