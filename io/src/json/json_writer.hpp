// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes JSON text piece by piece, so that a large document never exists as a tree. Owns: layout
// (two spaces per level, one line per list entry), exact numbers, and valid text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tonnage {

class JsonWriter {
 public:
  enum class Layout { kLines, kInline };  // members one a line, or all on the line of the container

  // What to do with values that JSON cannot hold: a number that is not finite, text that is not
  // UTF-8.
  enum class Unwritable {
    kRefuse,   // Error (kInvalidInput)
    kReplace,  // null; U+FFFD for each bad sequence
  };

  explicit JsonWriter(Unwritable unwritable = Unwritable::kRefuse) : unwritable_(unwritable) {}

  // Containers; inside an object every value, containers included, needs a key, elsewhere none.
  void begin_object(std::string_view key = {}, Layout layout = Layout::kLines);
  void begin_array(std::string_view key = {}, Layout layout = Layout::kLines);
  void end();

  void value(std::string_view key, std::string_view text);
  void value(std::string_view key, const char* text) { value(key, std::string_view(text)); }
  void value(std::string_view key, bool flag);
  void value(std::string_view key, std::int64_t number);
  void value(std::string_view key, double number);
  void null(std::string_view key);

  // The text, ended by a newline, once every container is closed.
  [[nodiscard]] std::string take();

 private:
  struct Level {
    bool is_object;
    Layout layout;
    bool empty;
  };

  void start_value(std::string_view key);
  void begin(std::string_view key, bool is_object, Layout layout);
  void new_line();
  void write_string(std::string_view text);

  Unwritable unwritable_;
  std::string text_;
  std::vector<Level> levels_;
};

}  // namespace tonnage
