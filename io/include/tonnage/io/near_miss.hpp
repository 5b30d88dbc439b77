// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Suggests the known word that a misspelt one was probably meant to be. Owns: the distance between
// words.
//
// Example:
//   const std::string_view known[] = {"greedy", "price"};
//   const std::string near{tonnage::nearest_word("pirce", known)};  // "price"
#pragma once

#include <span>
#include <string_view>

namespace tonnage {

// Whether two words are equal up to the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The known word nearest to `word`: equal up to case, '-', '_' and ' ', or with at most a third of
// its letters (and at most three) inserted, removed, replaced or swapped. Empty if none is near.
// O(known * length^2).
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> known);

}  // namespace tonnage
