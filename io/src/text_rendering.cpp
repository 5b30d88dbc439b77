// Escaping, cutting and number formatting for messages.
#include "text_rendering.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace tonnage {
namespace {

constexpr std::size_t kLongestRendering = 60;
constexpr std::size_t kLongestPointerStep = 100;

// The first `limit` bytes at most, without a broken UTF-8 sequence at the cut.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::string one_line(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += "\\u00";
      result += kHex[byte >> 4U];
      result += kHex[byte & 0xFU];
    } else {
      result += c;
    }
  }
  return result;
}

std::string shortened(std::string_view text) {
  const std::string_view kept = cut(text, kLongestRendering);
  return one_line(kept) + (kept.size() < text.size() ? "..." : "");
}

std::string quoted(std::string_view text) { return '"' + shortened(text) + '"'; }

std::string pointer_step(std::string_view key) {
  const std::string_view kept = cut(key, kLongestPointerStep);
  std::string result;
  for (const char c : kept) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return kept.size() < key.size() ? result + "..." : result;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace tonnage
