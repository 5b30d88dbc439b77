// Interruptions (Ctrl-C, termination) as something that work can look at, so that what it has half
// done is taken back. Owns the signal handlers for as long as it lives.
#pragma once

#include <csignal>

namespace tonnage::cli {

class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Throws Interrupted once a signal has come.
  void check() const;

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

// Carries the signal to where everything has been taken back.
struct Interrupted {
  int signal;
};

// Ends the program by that signal, as if it had never been caught.
[[noreturn]] void end_by(const Interrupted& interrupted);

}  // namespace tonnage::cli
