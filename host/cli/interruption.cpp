// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Signal handlers, the list of unfinished files that they remove, and the progress bar that they
// wipe. All of it is state of the process, as signals are.
#include "host/cli/interruption.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <mutex>
#include <string>
#include <vector>

namespace tonnage::cli {
namespace {

// Signals whose default action ends a program: those of terminals and of kill, and those by which
// batch systems and resource limits announce the end.
constexpr std::array kEndingSignals = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                       SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2};

// State that a signal handler cleans up. A change of it delays the end of the program for an
// instant, so the handler finds names and files in agreement and needs no lock.
struct Process {
  std::atomic<int> signal{0};  // the first that came; no change begins after it
  std::atomic<int> changes{0};  // under way
  std::atomic<bool> ending{false};
  std::atomic<bool> bar_drawn{false};
  bool pipes_end = false;  // SIGPIPE was not ignored
  std::mutex mutex;        // of names, among changes
  std::vector<std::string> names;
};

// Never destroyed: signals may arrive until the very end.
Process& process() {
  static Process& the_process = *new Process;
  return the_process;
}

constexpr auto kWiped = [] {
  std::array<char, kProgressWidth + 2> text{};
  text.fill(' ');
  text.front() = text.back() = '\r';
  return text;
}();

// Writing to a terminal stopped by Ctrl-S would block for ever.
bool terminal_takes_text() {
  pollfd terminal{STDERR_FILENO, POLLOUT, 0};
  return poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) != 0;
}

void wipe_drawn_bar() {
  if (!process().bar_drawn.exchange(false) || !terminal_takes_text()) return;
  (void)!::write(STDERR_FILENO, kWiped.data(), kWiped.size());
}

// Ends the program by the received signal; async-signal-safe. Returns if another thread is already
// ending it.
void end_now() {
  Process& p = process();
  if (p.ending.exchange(true)) return;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (const std::string& name : p.names) unlink(name.c_str());
  for (const std::string& name : p.names) rmdir(name.c_str());
  wipe_drawn_bar();
  const int signal = p.signal;
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  _exit(128 + signal);
}

// The handler of all these signals.
void on_signal(int signal) {
  Process& p = process();
  int none = 0;
  p.signal.compare_exchange_strong(none, signal);
  if (p.changes == 0) end_now();
}

void end_change() {
  Process& p = process();
  if (p.changes.fetch_sub(1) == 1 && p.signal != 0) end_now();
}

void begin_change() {
  Process& p = process();
  p.changes.fetch_add(1);
  if (p.signal == 0) return;
  end_change();
  for (;;) pause();
}

class FilesOfProcess : public UnfinishedFiles {
 public:
  void begin_change() noexcept override { cli::begin_change(); }
  void end_change() noexcept override { cli::end_change(); }
  void add(const std::string& path) override {
    const std::lock_guard lock(process().mutex);
    process().names.push_back(path);
  }
  void remove(const std::string& path) noexcept override {
    const std::lock_guard lock(process().mutex);
    std::erase_if(process().names, [&](const std::string& name) {
      return name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '/');
    });
  }
};

}  // namespace

void prepare_for_signals() {
  struct sigaction ending {};
  ending.sa_handler = on_signal;
  ending.sa_flags = SA_RESTART;
  sigfillset(&ending.sa_mask);
  for (const int signal : kEndingSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_DFL) sigaction(signal, &ending, nullptr);
  }
  process().pipes_end = std::signal(SIGPIPE, SIG_IGN) == SIG_DFL;
  std::signal(SIGXFSZ, SIG_IGN);
}

UnfinishedFiles& unfinished_files() {
  static FilesOfProcess files;
  return files;
}

void end_by_closed_pipe() {
  if (!process().pipes_end) return;
  on_signal(SIGPIPE);
  for (;;) pause();
}

void draw_progress(std::string_view line) {
  begin_change();
  if (terminal_takes_text()) {
    process().bar_drawn = true;
    std::array<char, kProgressWidth + 1> text{};
    text.fill(' ');
    text.front() = '\r';
    std::copy_n(line.begin(), std::min<std::size_t>(line.size(), kProgressWidth),
                text.begin() + 1);
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  }
  end_change();
}

void wipe_progress() {
  begin_change();
  wipe_drawn_bar();
  end_change();
}

}  // namespace tonnage::cli
