// Guesses which known word a misspelt one was meant to be.
#pragma once

#include <span>
#include <string_view>

namespace tonnage {

// Equal but for the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The known word nearest to `word`: equal but for case, '-', '_' and ' ', or at most a third of its
// letters (and no more than three) inserted, removed, replaced or swapped. Empty when none is near.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> known);

}  // namespace tonnage
