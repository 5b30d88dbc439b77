// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Standard output and standard error of a command: writing, warnings, and the progress bar. The bar
// is drawn by host/cli/interruption.cpp, which also wipes it.
#include "host/cli/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "host/cli/interruption.hpp"
#include "tonnage/core/printable.hpp"
#include "tonnage/io/atomic_file.hpp"
#include "tonnage/io/spec_reader.hpp"

namespace tonnage::cli {
namespace {

constexpr std::size_t kWarningsShown = 20;
constexpr int kBarWidth = 30;
// Signals are handled between two writes to a disk, so each write must be short.
constexpr std::size_t kLargestWrite = 1 << 18;

void write_to_standard_output(std::string_view text) {
  if (isatty(STDOUT_FILENO) != 0) wipe_progress();
  while (!text.empty()) {
    const ssize_t written =
        ::write(STDOUT_FILENO, text.data(), std::min(text.size(), kLargestWrite));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      if (errno == EPIPE) end_by_closed_pipe();
      throw Exit{kFailure,
                 fmt::format("cannot write to standard output: {}", std::strerror(errno))};
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// A bar that is redrawn a few times a second and wiped at the end of each phase.
class ProgressBar {
 public:
  static constexpr std::chrono::seconds kSlowPhase{5};

  void show(std::string_view phase, std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (done >= total) {
      wipe();
      return;
    }
    // Short work shows no bar.
    const auto due = last_ < start_ ? start_ + std::chrono::milliseconds(300)
                                    : last_ + std::chrono::milliseconds(100);
    if (now < due) return;
    last_ = now;
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const int filled = static_cast<int>(share * kBarWidth);
    std::string bar = fmt::format("{:<12} [{}{}] {:3.0f} %", phase, std::string(filled, '#'),
                                  std::string(kBarWidth - filled, ' '), 100 * share);
    // A bar that stands still for long must not look dead.
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - start_);
    if (elapsed >= kSlowPhase) bar += fmt::format("  {} s", elapsed.count());
    draw_progress(bar);
  }
  void wipe() {
    wipe_progress();
    start_ = std::chrono::steady_clock::now();
  }
  ~ProgressBar() { wipe(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_;
};

}  // namespace

// Not fmt::print, which throws if standard error is closed or its disk is full.
void say(std::string_view text) {
  wipe_progress();
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void say_line(std::string_view message) { say(printable(message) + '\n'); }

bool Environment::colored() const {
  if (color == "always") return true;
  if (color == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

void Environment::write(std::string_view text, const std::string& path) const {
  if (path.empty()) {
    write_to_standard_output(text);
  } else {
    write_file_atomically(path, text, &unfinished_files());
  }
}

void Environment::note(std::string_view message) const {
  if (!quiet) say_line(message);
}

void Environment::check(const Diagnostics& diagnostics) const {
  if (diagnostics.has_errors()) {
    Diagnostics errors;
    for (const Diagnostic& d : diagnostics.all()) {
      if (!quiet || d.severity == Severity::kError) errors.add(d);
    }
    say(errors.to_text());
    const auto count = static_cast<std::int64_t>(diagnostics.num_errors());
    throw Exit{kBadInput, "input refused: " + counted(count, "error")};
  }
  if (!quiet) say(diagnostics.to_text(kWarningsShown));
}

SystemSpec Environment::read_fleet(const std::string& path) const {
  if (path == "-" && isatty(STDIN_FILENO) != 0) {
    note("reading a fleet from the terminal; Ctrl-D ends it");
  }
  SpecReadResult read = read_system(path);
  check(read.diagnostics);
  return std::move(read.spec);
}

ProgressCallback Environment::progress() const {
  if (quiet || isatty(STDERR_FILENO) == 0) return {};
  return [bar = std::make_shared<ProgressBar>()](std::string_view phase, std::int64_t done,
                                                 std::int64_t total) {
    bar->show(phase, done, total);
  };
}

}  // namespace tonnage::cli
