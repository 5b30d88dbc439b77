# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""What tests of a command ended from outside share: starting it, signals, the time allowed."""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from support import BINARY, COMPLETE, INCOMPLETE, CommandTest, fleet, part, run

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
                self.interrupt_slow(slow, number, within_s, before)
            with self.subTest(command=quick, signal=number.name):
                slack = slack_s()
                child = self.start(*quick)
                self.wait_for_temporary(child, len(os.listdir(self.out)))
                self.end(child, number, slack)
                found = self.standing()
                if found != before:  # the result had its name already: it is whole
                    self.put_back(before)
                    self.start(*quick).wait(timeout=120)
                    self.assertEqual(found, self.standing())
                    self.put_back(before)

    def interrupt_slow(self, slow, number, within_s, before):
        for _ in range(6):
            slack = slack_s()
            child = self.start(*slow)
            time.sleep(self.random.uniform(0, within_s))
            if self.end(child, number, slack):
                self.assertEqual(self.standing(), before)
                return
            self.put_back(before)
            within_s /= 4  # it was over first: this machine is faster
        self.fail("the command is always over first")

    def put_back(self, before):
        self.assertEqual(os.listdir(self.out), ["result"])
        shutil.rmtree(self.out)
        self.out.mkdir()
        for name, content in sorted(before.items()):
            if content is None:
                (self.out / name).mkdir()
            else:
                (self.out / name).write_bytes(content)
