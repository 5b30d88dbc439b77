// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Text tables with aligned columns and colour. Owns: alignment, and the formats of money and times.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tonnage::cli {

enum class Align { kLeft, kRight };

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Cells in column order, made printable(); a highlighted row is shown in the warning colour.
  void add(std::vector<std::string> cells, bool highlighted = false);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string to_string(bool colored) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool highlighted;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

[[nodiscard]] std::string bold(std::string_view text, bool colored);
[[nodiscard]] std::string warning(std::string_view text, bool colored);

// Cents/hour as dollars/hour with two digits.
[[nodiscard]] std::string dollars(double cents_per_hour);
// A time in ms with about three digits, never in scientific notation below a million seconds.
[[nodiscard]] std::string milliseconds(double ms);

}  // namespace tonnage::cli
