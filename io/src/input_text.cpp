// Reading whole files by blocks.
#include "input_text.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tonnage/core/error.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdin) std::fclose(file);
  }
};

// Reads everything into `text`; returns why that failed, or nothing.
std::string read_all(const std::string& path, std::string& text) {
  std::string too_large = "more than " + std::to_string(kMaxInputBytes) + " bytes";
  const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdin
                                                               : std::fopen(path.c_str(), "rb"));
  if (!file) return std::strerror(errno);
  struct stat status {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    if (static_cast<std::size_t>(status.st_size) > kMaxInputBytes) return too_large;
    text.reserve(static_cast<std::size_t>(status.st_size));
  }
  constexpr std::size_t kBlockSize = std::size_t{1} << 16;
  const std::unique_ptr<char[]> block(new char[kBlockSize]);
  while (const std::size_t got = std::fread(block.get(), 1, kBlockSize, file.get())) {
    if (got > kMaxInputBytes - text.size()) return too_large;
    text.append(block.get(), got);
  }
  if (std::ferror(file.get())) return std::strerror(errno);
  return {};
}

}  // namespace

std::string input_display_name(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

std::string read_text(const std::string& path) {
  std::string text;
  const std::string problem = read_all(path, text);
  if (!problem.empty()) {
    throw Error(ErrorCode::kIo, "cannot read " + input_display_name(path) + ": " + problem);
  }
  return text;
}

std::optional<std::string> read_input_text(const std::string& path, Diagnostics& diagnostics) {
  std::string text;
  std::string problem = read_all(path, text);
  if (problem.empty()) return text;
  diagnostics.add({.severity = Severity::kError,
                   .file = input_display_name(path),
                   .pointer = {},
                   .found = std::move(problem),
                   .expected = "a readable file",
                   .hint = {}});
  return std::nullopt;
}

}  // namespace tonnage
