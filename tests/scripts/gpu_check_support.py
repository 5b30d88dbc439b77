# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of scripts/gpu-check share: a tree with the script, stand-ins for the programs it
calls in a PATH of nothing but these, bash and coreutils, and the reading of what comes back."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

SOURCE = pathlib.Path(os.environ["TONNAGE_SOURCE"])
sys.path.append(str(SOURCE / "tests" / "support"))

from seed import test_seed  # noqa: E402, F401  (for the tests beside this file)

STAND_INS = SOURCE / "tests" / "scripts" / "stand_ins"
COREUTILS = ("basename cat chmod cp cut date dirname env head ln ls mkdir mktemp mv nproc printf "
             "readlink rm sleep sort stat stdbuf tail timeout touch tr true uname").split()
KINDS = ["max", "search", "grid", "table", "percentiles", "points"]
PARITY = [f"parity {kind}" for kind in KINDS]
SANITIZERS = ["memcheck", "synccheck", "initcheck", "racecheck"]
BENCHMARKS = [f"{group}/size:{size}" for group in ("ceilings", "sweep", "searches")
              for size in (1, 2)]
STEPS = ["build", *PARITY, "benchmarks", "GPU tests", *SANITIZERS]


def processes(mark):
    """The processes whose environment holds a text."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            pass  # gone, or not ours
    return found


class Outcome:
    """What a run left behind."""

    def __init__(self, code, stdout, seconds, results):
        self.code, self.stdout, self.seconds = code, stdout, seconds
        self.results = sorted(results.iterdir()) if results.exists() else []
        logs = [path for path in self.results if path.suffix == ".log"]
        self.log = logs[-1].read_text() if logs else ""
        self.jsons = {path.name: json.loads(path.read_text()) for path in self.results
                      if path.suffix == ".json"}
        self.rows = {}
        for line in self.log.partition("\n== summary\n")[2].splitlines():
            self.rows[line[:25].rstrip()] = line[25:]

    def benchmarks(self):
        """Names of the benchmarks in the JSON of the whole run."""
        whole = [d for name, d in self.jsons.items() if name.count(".") == 1]
        return [one["name"] for one in whole[0]["benchmarks"]] if whole else []


class GpuCheckTest(unittest.TestCase):
    """Runs whose time is waiting are run at the same time, once for the whole class: cases() names
    them, got[name] is what became of them."""
    maxDiff = 4000

    @classmethod
    def cases(cls):
        """{name: (arguments, options)}, as start takes them; each has results of its own."""
        return {}

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tonnage-gpu-check-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.tree = cls.folder / "tree"
        (cls.tree / "scripts").mkdir(parents=True)
        for name in ("gpu-check", "gpu-check-lib.sh"):
            shutil.copy(SOURCE / "scripts" / name, cls.tree / "scripts")
        cls.tools = cls.folder / "tools"
        cls.tools.mkdir()
        for name in ["bash", *COREUTILS]:
            if shutil.which(name):
                (cls.tools / name).symlink_to(shutil.which(name))
        cls.stand_ins = cls.folder / "stand_ins"
        shutil.copytree(STAND_INS, cls.stand_ins)
        cls.mark = f"TONNAGE_TEST_RUN={uuid.uuid4()}"
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            cls.got = dict(pool.map(cls.run_case, cls.cases().items()))

    @classmethod
    def run_case(cls, case):
        name, (arguments, options) = case
        return name, cls.run_check(*arguments, **{"results": f"results-{name}", **options})

    @classmethod
    def start(cls, *arguments, faults="", results="results", without=(), **variables):
        """The script as a process, not waited for. `without` names stand-ins to leave out."""
        stand_ins = cls.stand_ins
        if without:
            stand_ins = cls.folder / f"without-{'-'.join(without)}"
            shutil.copytree(cls.stand_ins, stand_ins, ignore=lambda *_: without,
                            dirs_exist_ok=True)
        key, value = cls.mark.split("=")
        build = cls.folder / f"build-{uuid.uuid4()}"
        # Started by bash: the test is of the script, not of where env lies.
        process = subprocess.Popen(
            [cls.tools / "bash", cls.tree / "scripts" / "gpu-check", "--results",
             cls.folder / results, "--build-dir", build, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, cwd=cls.folder,
            env={"PATH": f"{stand_ins}:{cls.tools}", "CUDA_PATH": str(cls.folder / "no-cuda"),
                 "HOME": "/nowhere", "FAULTS": faults,
                 "HANGS": str(cls.folder), key: value,
                 **{k: str(v) for k, v in variables.items()}})
        process.began, process.results = time.monotonic(), cls.folder / results
        return process

    @classmethod
    def outcome(cls, process):
        stdout, _ = process.communicate(timeout=100)
        return Outcome(process.returncode, stdout, time.monotonic() - process.began,
                       process.results)

    @classmethod
    def run_check(cls, *arguments, **options):
        return cls.outcome(cls.start(*arguments, **options))

    def expect_rows(self, outcome, code, **rows):
        """The exit status, the given outcomes (spaces written _), and ok for all other steps."""
        rows = {name.replace("_", " "): begin for name, begin in rows.items()}
        self.assertLessEqual(set(rows), set(STEPS))
        for step in STEPS:
            self.assertTrue(outcome.rows.get(step, "").startswith(rows.get(step, "ok")),
                            f"{step}: {outcome.rows.get(step)!r} in\n{outcome.log[-4000:]}")
        self.assertEqual(outcome.code, code, outcome.log[-4000:])

    def expect_nothing_left(self, seconds):
        """No process of any run so far lives on."""
        end = time.monotonic() + seconds
        while processes(self.mark) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(processes(self.mark), [])


def main():
    """Runs the tests of the program; says why any was skipped, in the form scripts/test looks for.
    Status 77 where all were."""
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    for test, reason in result.skipped:
        print(f"{test.id()}: Skipped\n{reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
