// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Runs parts of tests in a child process: without superuser rights, or with failing system calls.
#pragma once

#include <grp.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

namespace tonnage::test {

inline constexpr int kPassed = 0, kFailed = 1, kImpossible = 77;

// Runs `body` in a child process, whose failed expectations fail the test. prepare() makes the
// child what the body needs; the result is false if it cannot.
template <class Prepare, class Body>
[[nodiscard]] bool in_child(Prepare prepare, Body body) {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    if (!prepare()) _exit(kImpossible);
    body();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? kFailed : kPassed);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (!WIFEXITED(status)) {
    ADD_FAILURE() << "the child ended by a signal";
    return true;
  }
  if (WEXITSTATUS(status) == kImpossible) return false;
  EXPECT_EQ(WEXITSTATUS(status), kPassed) << "see what the child printed";
  return true;
}

inline constexpr uid_t kNobody = 65534;

// Without the rights of the superuser: as the user that runs the test, or as nobody.
template <class Body>
[[nodiscard]] bool in_unprivileged_child(Body body) {
  const auto prepare = [] {
    if (geteuid() != 0) return true;
    return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
  };
  return in_child(prepare, body);
}

// Where a system call fails with `error` as soon as its argument `argument` has a bit of `mask`.
template <class Body>
[[nodiscard]] bool in_child_without(long call, unsigned argument, unsigned mask, int error,
                                    Body body) {
  const auto prepare = [&] {
    const auto offset =
        static_cast<unsigned>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{.len = sizeof steps / sizeof *steps, .filter = steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  };
  return in_child(prepare, body);
}

}  // namespace tonnage::test
