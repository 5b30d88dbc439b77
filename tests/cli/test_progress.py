# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The progress bar on a terminal: wiped whichever way the command ends."""

import contextlib
import os
import pty
import select
import signal
import termios
import time

from ended import SIGNALS, Ended, slack_s
from support import FAILED, main


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
