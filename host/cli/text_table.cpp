#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tonnage::cli {
namespace {

// Columns on the screen: UTF-8 continuation bytes take none.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void TextTable::add(std::vector<std::string> cells, bool highlighted) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back({std::move(cells), highlighted});
}

std::string TextTable::to_string(bool colored) const {
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

std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    clean += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return clean;
}

}  // namespace tonnage::cli
