"""Ended from outside: signals at any moment, limits of the shell, readers that stop, threads that
cannot start. Nothing may be left behind, whatever stood there before stays, the answer is prompt."""

import contextlib
import json
import os
import pathlib
import pty
import random
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from support import (BINARY, COMPLETE, FAILED, INCOMPLETE, SANITIZED, SMALL, CommandTest, fleet,
                     main, part, run)

ANSWER_S = 0.3  # documented in docs/command-line.md
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def slack_s():
    """What a loaded or slow machine may take on top: ten times what the least command takes now."""
    start = time.monotonic()
    run("--version")
    return 10 * (time.monotonic() - start)


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wide_fleet():
    """One line of a grid with percentiles takes seconds: huge queue, 512 batch sizes."""
    document = fleet()
    del part(document, "serverData")[1]
    server = part(document, "serverData")[0]
    server["maxQueueSize"] = 1000000
    server["maxBatchSize"] = 512
    server["currentAlloc"]["load"]["arrivalRate"] = 100000
    for model in part(document, "modelData"):
        model["maxBatchSize"] = 1048576
    for entry in part(document, "serviceClassData"):
        for target in entry["modelTargets"]:
            target["slo-itl"], target["slo-ttft"] = 1e7, 1e9
    return document


class Ended(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(17)
        cls.inputs = pathlib.Path(tempfile.mkdtemp(prefix="tonnage-cli-"))
        cls.addClassCleanup(shutil.rmtree, cls.inputs)
        cls.big, cls.wide = cls.inputs / "big.json", cls.inputs / "wide.json"
        run("generate", "--servers", "3000", "--accelerators", "24", "-o", cls.big)
        cls.wide.write_text(json.dumps(wide_fleet()))

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.out.mkdir()

    def standing(self):
        """Everything in the folder of results, with its content."""
        return {str(p.relative_to(self.out)): p.read_bytes() if p.is_file() else None
                for p in self.out.rglob("*")}

    def start(self, *arguments, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("preexec_fn", no_core)
        child = subprocess.Popen([BINARY, *map(str, arguments)], **options)

        def end():
            child.kill()
            child.wait()
            if child.stderr:
                child.stderr.close()
        self.addCleanup(end)
        return child

    def end(self, child, number, slack):
        """Sends the signal; returns whether the command was still at work."""
        child.send_signal(number)
        start = time.monotonic()
        child.wait(timeout=120)
        took = time.monotonic() - start
        if child.returncode != -number:
            self.assertIn(child.returncode, (COMPLETE, INCOMPLETE))
            return False
        self.assertLess(took, ANSWER_S + slack)
        return True

    def wait_for_temporary(self, child, before):
        """Until the command has begun to write, or is over."""
        deadline = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < deadline:
            if len(os.listdir(self.out)) > before:
                return
            time.sleep(0.0005)

    def interrupt(self, slow, quick, within_s=0.5):
        """A slow command at random moments; a quick one as soon as it has begun to write."""
        before = self.standing()
        for number in SIGNALS:
            with self.subTest(command=slow, signal=number.name):
                slack = slack_s()
                child = self.start(*slow)
                time.sleep(self.random.uniform(0, within_s))
                self.assertTrue(self.end(child, number, slack))
                self.assertEqual(self.standing(), before)
            with self.subTest(command=quick, signal=number.name):
                slack = slack_s()
                child = self.start(*quick)
                self.wait_for_temporary(child, len(os.listdir(self.out)))
                if self.end(child, number, slack):
                    self.assertEqual(self.standing(), before)
                else:
                    self.put_back(before)

    def put_back(self, before):
        self.assertEqual(os.listdir(self.out), ["result"])
        shutil.rmtree(self.out)
        self.out.mkdir()
        for name, content in sorted(before.items()):
            if content is None:
                (self.out / name).mkdir()
            else:
                (self.out / name).write_bytes(content)


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
                self.assertRegex(said.decode(), rf"^tonnage: cannot write .*/out/{name}.*: File too "
                                                r"large\n$")
                self.assertEqual(self.standing(), {"old": b"old"})
        with open(self.folder / "stdout", "w") as stdout:
            child = self.start("generate", "--servers", "3000", stdout=stdout, preexec_fn=limit)
            _, said = child.communicate(timeout=60)
        self.assertEqual(child.returncode, FAILED)
        self.assertEqual(said, b"tonnage: cannot write to standard output: File too large\n")

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


class Terminal:
    """Standard error of a command as a person sees it."""

    def __init__(self):
        self.shown = b""
        self.ours, self.theirs = pty.openpty()

    def read(self, timeout=100):
        """Takes what is there; false when the command has gone."""
        try:
            if not select.select([self.ours], [], [], timeout)[0]:
                return False
            piece = os.read(self.ours, 4096)
        except OSError:
            return False
        self.shown += piece
        return bool(piece)

    def read_to_end(self):
        while self.read():
            pass

    def lines(self):
        """What stands on the screen at last, and where the cursor is in the last line."""
        lines, column = [[]], 0
        for character in self.shown.decode():
            if character == "\r":
                column = 0
            elif character == "\n":
                lines.append([])
                column = 0
            else:
                line = lines[-1]
                line.extend(" " * (column + 1 - len(line)))
                line[column] = character
                column += 1
        return ["".join(line).rstrip() for line in lines], column


class ProgressBar(Ended):
    @contextlib.contextmanager
    def watched(self, *arguments, **options):
        terminal = Terminal()
        child = self.start(*arguments, stderr=terminal.theirs, **options)
        try:
            yield terminal, child
        finally:
            os.close(terminal.ours)
            with contextlib.suppress(OSError):
                os.close(terminal.theirs)

    def until_drawn(self, terminal):
        while b"] " not in terminal.shown:
            self.assertTrue(terminal.read(), "the bar never showed")

    def test_wiped_by_a_signal(self):
        for number in SIGNALS:
            with self.watched("generate", "--servers", "1000000", "-o", self.out / "fleet") as (
                    terminal, child):
                os.close(terminal.theirs)
                self.until_drawn(terminal)
                slack = slack_s()
                self.assertTrue(self.end(child, number, slack))
                terminal.read_to_end()
                self.assertEqual(terminal.lines(), ([""], 0))

    def test_wiped_before_an_error(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        with self.watched("candidates", self.big, "--grid", "--memory", "8M", "-o",
                          fifo) as (terminal, child):
            os.close(terminal.theirs)
            self.read_until_drawn(terminal, reader)
            os.close(reader)
            self.assertEqual(child.wait(timeout=60), FAILED)
            terminal.read_to_end()
            self.assertEqual(terminal.lines(),
                             ([f"tonnage: cannot write {fifo}: writing: Broken pipe", ""], 0))

    def test_wiped_where_the_reader_has_enough(self):
        reader, writer = os.pipe()
        with self.watched("candidates", self.big, "--grid", "--memory", "8M",
                          stdout=writer) as (terminal, child):
            os.close(terminal.theirs)
            os.close(writer)
            self.read_until_drawn(terminal, reader)
            os.close(reader)
            self.assertEqual(child.wait(timeout=60), -signal.SIGPIPE)
            terminal.read_to_end()
            self.assertEqual(terminal.lines(), ([""], 0))

    def read_until_drawn(self, terminal, reader):
        while b"] " not in terminal.shown:
            ready = select.select([terminal.ours, reader], [], [], 100)[0]
            self.assertTrue(ready, "the bar never showed")
            if reader in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(reader, 1 << 20)
            if terminal.ours in ready:
                terminal.read()

    def test_a_stopped_terminal_holds_nothing_up(self):
        with self.watched("generate", "--servers", "1000000", "-o", self.out / "fleet") as (
                terminal, child):
            self.until_drawn(terminal)
            slack = slack_s()
            termios.tcflow(terminal.theirs, termios.TCOOFF)
            time.sleep(0.3)
            self.assertTrue(self.end(child, signal.SIGTERM, slack))
            self.assertEqual(self.standing(), {})


if __name__ == "__main__":
    main()
