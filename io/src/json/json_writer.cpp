// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Layout and scalars of written JSON.
#include "io/src/json/json_writer.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "io/src/results/text_rendering.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/core/printable.hpp"

namespace tonnage {

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * levels_.size(), ' ');
}

void JsonWriter::start_value(std::string_view key) {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (!level.empty) text_ += ',';
  if (level.layout == Layout::kLines) {
    new_line();
  } else if (!level.empty) {
    text_ += ' ';
  }
  level.empty = false;
  if (level.is_object) {
    write_string(key);
    text_ += ": ";
  }
}

void JsonWriter::begin(std::string_view key, bool is_object, Layout layout) {
  start_value(key);
  text_ += is_object ? '{' : '[';
  levels_.push_back({is_object, layout, true});
}

void JsonWriter::begin_object(std::string_view key, Layout layout) { begin(key, true, layout); }
void JsonWriter::begin_array(std::string_view key, Layout layout) { begin(key, false, layout); }

void JsonWriter::end() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (level.layout == Layout::kLines && !level.empty) new_line();
  text_ += level.is_object ? '}' : ']';
}

void JsonWriter::value(std::string_view key, std::string_view text) {
  start_value(key);
  write_string(text);
}

void JsonWriter::value(std::string_view key, bool flag) {
  start_value(key);
  text_ += flag ? "true" : "false";
}

void JsonWriter::value(std::string_view key, std::int64_t number) {
  start_value(key);
  text_ += std::to_string(number);
}

void JsonWriter::null(std::string_view key) {
  start_value(key);
  text_ += "null";
}

void JsonWriter::value(std::string_view key, double number) {
  if (!std::isfinite(number)) {
    if (unwritable_ == Unwritable::kReplace) return null(key);
    throw Error(ErrorCode::kInvalidInput, "cannot write " + std::string(key) + ": " +
                                              number_text(number) + " is not a finite number");
  }
  start_value(key);
  text_ += number_text(number);
}

void JsonWriter::write_string(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) {
    text_ += '"';
    text_ += text;
    text_ += '"';
    return;
  }
  using ErrorHandler = nlohmann::json::error_handler_t;
  const ErrorHandler on_error =
      unwritable_ == Unwritable::kReplace ? ErrorHandler::replace : ErrorHandler::strict;
  try {
    // Escape invisible characters; the value of the string stays the same.
    text_ += printable(nlohmann::json(text).dump(-1, ' ', false, on_error));
  } catch (const nlohmann::json::type_error&) {
    throw Error(ErrorCode::kInvalidInput, "cannot write a name that is not UTF-8: " + quoted(text));
  }
}

std::string JsonWriter::take() {
  text_ += '\n';
  return std::exchange(text_, {});
}

}  // namespace tonnage
