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

}  // namespace

std::string input_display_name(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

std::string read_text(const std::string& path) {
  const auto fail = [&path](const std::string& reason) -> Error {
    return {ErrorCode::kIo, "cannot read " + input_display_name(path) + ": " + reason};
  };
  const auto too_large = [&fail] {
    return fail("more than " + std::to_string(kMaxInputBytes) + " bytes");
  };
  const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdin
                                                               : std::fopen(path.c_str(), "rb"));
  if (!file) throw fail(std::strerror(errno));
  std::string text;
  struct stat status {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    if (static_cast<std::size_t>(status.st_size) > kMaxInputBytes) throw too_large();
    text.reserve(static_cast<std::size_t>(status.st_size));
  }
  constexpr std::size_t kBlockSize = std::size_t{1} << 16;
  const std::unique_ptr<char[]> block(new char[kBlockSize]);
  while (const std::size_t got = std::fread(block.get(), 1, kBlockSize, file.get())) {
    if (got > kMaxInputBytes - text.size()) throw too_large();
    text.append(block.get(), got);
  }
  if (std::ferror(file.get())) throw fail(std::strerror(errno));
  return text;
}

std::optional<std::string> read_input_text(const std::string& path, Diagnostics& diagnostics) {
  try {
    return read_text(path);
  } catch (const Error& error) {
    diagnostics.add({.severity = Severity::kError,
                     .file = input_display_name(path),
                     .pointer = {},
                     .found = error.what(),
                     .expected = "a readable file",
                     .hint = {}});
    return std::nullopt;
  }
}

}  // namespace tonnage
