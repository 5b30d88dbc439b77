# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Ended from outside: signals at any moment, limits of the shell, threads that cannot start.
Nothing may be left behind, whatever stood there before stays, the answer is prompt."""

import os
import resource
import signal
import subprocess
import time
import unittest

from ended import SIGNALS, Ended, slack_s
from support import BINARY, COMPLETE, FAILED, SANITIZED, SMALL, main, run


class AtAnyMoment(Ended):
    def with_old_file(self):
        (self.out / "result").write_text("old")
        return str(self.out / "result")

    def test_plan(self):
        output = ("--format", "json", "-o", self.with_old_file())
        self.interrupt(["plan", self.big, "--batch", "search", *output],
                       ["plan", self.big, "--solver", "greedy", *output])

    def test_exact_plan(self):
        tight = self.inputs / "tight.json"
        run("generate", "--servers", "3000", "--accelerators", "24", "--tightness", "0.7", "-o",
            tight)
        output = ("--solver", "milp", "-o", self.with_old_file())
        self.interrupt(["plan", tight, *output], ["plan", SMALL, *output], within_s=3)

    def test_generate(self):
        output = ("-o", self.with_old_file())
        self.interrupt(["generate", "--servers", "300000", *output],
                       ["generate", "--servers", "10000", *output])

    def test_candidates(self):
        output = ("--format", "csv", "-o", self.with_old_file())
        self.interrupt(["candidates", self.big, "--batch", "search", *output],
                       ["candidates", self.big, *output])

    def test_sensitivity(self):
        output = ("-o", self.with_old_file())
        self.interrupt(["sensitivity", self.big, "--steps", "20", *output],
                       ["sensitivity", SMALL, "--steps", "1", *output])

    def test_grid_as_text(self):
        output = ("--replicas", "1:20", "-o", self.with_old_file())
        self.interrupt(["candidates", self.big, "--grid", *output],
                       ["candidates", SMALL, "--grid", *output])

    def test_grid_as_arrays(self):
        output = ("--fields", "cost,rho", "--format", "npy", "-o", self.out / "result")
        self.expect(COMPLETE, "candidates", SMALL, "--grid", *output[2:], "--replicas", "1",
                    "--batches", "1", "--fields", "cost")
        self.interrupt(["candidates", self.big, "--grid", "--replicas", "1:20", *output],
                       ["candidates", SMALL, "--grid", "--replicas", "1:20", *output])

    def test_long_lines_of_a_grid(self):
        for form in ("csv", "npy"):
            command = ["candidates", self.wide, "--grid", "--batches", "1:512", "--replicas",
                       "1:64", "--percentiles", "--format", form, "-o", self.out / "result"]
            self.interrupt(command, command)

    def test_short_commands_are_whole_or_not_at_all(self):
        small = ["candidates", SMALL, "--grid", "--replicas", "1", "--batches", "1", "--format"]
        for arguments in (["generate", "--servers", "1"], [*small, "csv"], [*small, "npy"]):
            out = self.out / ("folder" if arguments[-1] == "npy" else "file")
            self.expect(COMPLETE, *arguments, "-o", out)
            before = self.standing()
            start = time.monotonic()
            run(*arguments, "-o", out)
            usual = time.monotonic() - start
            for i in range(40):
                child = self.start(*arguments, "-o", out)
                time.sleep(self.random.uniform(0, usual))
                number = SIGNALS[i % len(SIGNALS)]
                child.send_signal(number)
                child.wait(timeout=60)
                self.assertIn(child.returncode, (COMPLETE, -number))
                self.assertEqual(self.standing(), before)


class Signals(Ended):
    def test_two_signals_in_a_row(self):
        for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)):
            child = self.start("candidates", self.big, "--grid", "--format", "npy",
                               "-o", self.out / "grid")
            self.wait_for_temporary(child, 0)
            child.send_signal(first)
            child.send_signal(second)
            child.wait(timeout=60)
            self.assertIn(-child.returncode, (first, second))
            self.assertEqual(self.standing(), {})

    def test_signals_that_announce_an_end(self):
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGALRM):
            child = self.start("candidates", self.big, "--grid", "-o",
                               self.out / "grid.csv")
            self.wait_for_temporary(child, 0)
            child.send_signal(number)
            child.wait(timeout=60)
            self.assertEqual(child.returncode, -number)
            self.assertEqual(self.standing(), {})

    def test_ignored_signals_stay_ignored(self):
        def ignore():
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

        child = self.start("generate", "--servers", "20000", "-o", self.out / "fleet.json",
                           preexec_fn=ignore)
        while child.poll() is None:
            for number in SIGNALS:
                child.send_signal(number)
            time.sleep(0.01)
        self.assertEqual(child.returncode, COMPLETE)
        self.assertEqual(list(self.standing()), ["fleet.json"])

    def test_while_it_waits(self):
        os.mkfifo(self.folder / "fifo")
        for arguments in (["plan", "-"], ["plan", SMALL, "-o", self.folder / "fifo"],
                          ["plan", self.folder / "fifo"]):
            slack = slack_s()
            child = self.start(*arguments, stdin=subprocess.PIPE)
            time.sleep(0.3 + slack)
            with self.subTest(arguments=arguments):
                self.assertTrue(self.end(child, signal.SIGINT, slack))
            child.stdin.close()


class Limits(Ended):
    def test_largest_file_of_the_shell(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        for name, arguments in (("old", ["generate", "--servers", "3000"]),
                                ("old", ["candidates", SMALL, "--grid"]),
                                ("new", ["candidates", SMALL, "--grid", "--format", "npy"])):
            (self.out / "old").write_text("old")
            child = self.start(*arguments, "-o", self.out / name, preexec_fn=limit)
            _, said = child.communicate(timeout=60)
            with self.subTest(arguments=arguments):
                self.assertEqual(child.returncode, FAILED)
                self.assertRegex(said.decode(),
                                 rf"^tonnage: cannot write .*/out/{name}.*: File too large\n$")
                self.assertEqual(self.standing(), {"old": b"old"})
        with open(self.folder / "stdout", "w") as stdout:
            child = self.start("generate", "--servers", "3000", stdout=stdout, preexec_fn=limit)
            _, said = child.communicate(timeout=60)
        self.assertEqual(child.returncode, FAILED)
        self.assertEqual(said, b"tonnage: cannot write to standard output: File too large\n")

    @unittest.skipIf(SANITIZED, "the leak sanitizer starts a thread of its own")
    def test_threads_that_cannot_start_are_done_without(self):
        def limit():
            if os.geteuid() == 0:  # whom the limit does not bind
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

        text = run("generate", "--servers", "300").stdout
        for command in (["plan", "-", "--format", "json"], ["plan", "-", "--batch", "search"],
                        ["candidates", "-", "--grid", "--replicas", "1:2", "--batches", "::16"]):
            expected = run(*command, "--threads", "1", stdin=text)
            try:
                got = subprocess.run([BINARY, *command, "--threads", "8"], input=text, text=True,
                                     capture_output=True, timeout=120, preexec_fn=limit)
            except (PermissionError, subprocess.SubprocessError) as error:
                self.skipTest(f"the command cannot be run as another user: {error}")
            with self.subTest(command=command):
                self.assertEqual(got.stderr, expected.stderr)
                self.assertEqual(got.stdout, expected.stdout)
                self.assertEqual(got.returncode, expected.returncode)

    @unittest.skipIf(SANITIZED, "the sanitizers need more memory")
    def test_many_threads_in_little_memory(self):
        expected = run("plan", SMALL).stdout
        refused = 0
        for megabytes in (3000, 300, 100, 60):
            got = subprocess.run(
                [BINARY, "candidates", SMALL, "--grid", "--threads", "1024"], text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120,
                preexec_fn=lambda size=megabytes << 20: resource.setrlimit(resource.RLIMIT_AS,
                                                                           (size, size)))
            with self.subTest(megabytes=megabytes):
                self.assertNotIn("temporarily unavailable", got.stderr)
                if got.returncode != COMPLETE:
                    self.assertEqual(got.stderr, "tonnage: out of memory; fewer threads need less: "
                                                 "--threads N\n")
        self.assertEqual(run("plan", SMALL, "--threads", "1024").stdout, expected)


if __name__ == "__main__":
    main()
