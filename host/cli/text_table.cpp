// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Aligns the cells of text tables by display width, and formats money, times and colours.
#include "host/cli/text_table.hpp"

#include <fmt/format.h>
#include <locale.h>  // newlocale, of POSIX
#include <wchar.h>   // wcwidth, of POSIX

#include <algorithm>

#include "tonnage/core/printable.hpp"

namespace tonnage::cli {
namespace {

// Makes the thread measure text as UTF-8, whatever the user's locale, for the lifetime of the
// object.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{})) {
    if (locale_ != locale_t{}) before_ = uselocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ == locale_t{}) return;
    uselocale(before_);
    freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_{};
};

// Display width of printable text: wide characters take two columns, combining ones none.
// Characters that the C library does not know count as one.
std::size_t width_of(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return text.size();
  }
  std::size_t width = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const std::size_t bytes = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (bytes == 0 || bytes > text.size()) {
      state = {};
      width += (static_cast<unsigned char>(text.front()) & 0xC0U) != 0x80U ? 1 : 0;
      text.remove_prefix(1);
      continue;
    }
    const int columns = wcwidth(character);
    width += columns < 0 ? 1 : static_cast<std::size_t>(columns);
    text.remove_prefix(bytes);
  }
  return width;
}

}  // namespace

void TextTable::add(std::vector<std::string> cells, bool highlighted) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back({std::move(cells), highlighted});
}

std::string TextTable::to_string(bool colored) const {
  const Utf8Locale measuring;
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = width_of(columns_[c].title);
    for (const Row& row : rows_) width = std::max(width, width_of(row.cells[c]));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_of(c);
      const std::string padding(widths[c] - width_of(cell), ' ');
      text += c == 0 ? "" : "  ";
      text += columns_[c].align == Align::kLeft ? cell + padding : padding + cell;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text =
      bold(line([&](std::size_t c) -> const std::string& { return columns_[c].title; }), colored) +
      "\n";
  for (const Row& row : rows_) {
    const std::string plain =
        line([&](std::size_t c) -> const std::string& { return row.cells[c]; });
    text += (row.highlighted ? warning(plain, colored) : plain) + "\n";
  }
  return text;
}

std::string bold(std::string_view text, bool colored) {
  return colored ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

std::string warning(std::string_view text, bool colored) {
  return colored ? fmt::format("\x1b[33m{}\x1b[0m", text) : std::string(text);
}

std::string dollars(double cents_per_hour) { return fmt::format("{:.2f}", cents_per_hour / 100); }

std::string milliseconds(double ms) {
  if (!(ms < 1e9)) return fmt::format("{:.3g}", ms);
  const int digits = ms < 10 ? 2 : (ms < 100 ? 1 : 0);
  return fmt::format("{:.{}f}", ms, digits);
}

}  // namespace tonnage::cli
