// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Reads whole files and standard input by blocks, and explains failures.
#include "io/src/files/input_text.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "io/src/results/text_rendering.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdin) std::fclose(file);
  }
};

// The reason why a file could not be opened, after fopen() has set errno.
std::string why_not_opened(const std::string& path) {
  const int error = errno;
  std::error_code failed;
  const std::filesystem::path target = std::filesystem::read_symlink(path, failed);
  std::string why = std::strerror(error);
  if (!failed) why += " (it is a symbolic link to " + tonnage::quoted(target.native()) + ")";
  return why;
}

// Reads everything into `text`; returns the reason of a failure, or an empty string.
std::string read_all(const std::string& path, std::string& text) {
  if (path.find('\0') != path.npos) return "a NUL byte in its name";
  std::string too_large = "more than " + std::to_string(kMaxInputBytes) + " bytes";
  const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdin
                                                               : std::fopen(path.c_str(), "rb"));
  if (!file) return why_not_opened(path);
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
