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
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tonnage-gpu-check-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = self.folder / "tree"
        (self.tree / "scripts").mkdir(parents=True)
        for name in ("gpu-check", "gpu-check-lib.sh"):
            shutil.copy(SOURCE / "scripts" / name, self.tree / "scripts")
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        for name in ["bash", *COREUTILS]:
            if shutil.which(name):
                (self.tools / name).symlink_to(shutil.which(name))
        self.stand_ins = self.folder / "stand_ins"
        shutil.copytree(STAND_INS, self.stand_ins)
        self.mark = f"TONNAGE_TEST_RUN={uuid.uuid4()}"

    def start(self, *arguments, faults="", results="results", without=(), **variables):
        """The script as a process, not waited for. `without` names stand-ins to leave out."""
        stand_ins = self.stand_ins
        if without:
            stand_ins = self.folder / f"without-{'-'.join(without)}"
            shutil.copytree(self.stand_ins, stand_ins, ignore=lambda *_: without,
                            dirs_exist_ok=True)
        key, value = self.mark.split("=")
        build = self.folder / f"build-{uuid.uuid4()}"
        # Started by bash: the test is of the script, not of where env lies.
        process = subprocess.Popen(
            [self.tools / "bash", self.tree / "scripts" / "gpu-check", "--results",
             self.folder / results, "--build-dir", build, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, cwd=self.folder,
            env={"PATH": f"{stand_ins}:{self.tools}", "CUDA_PATH": str(self.folder / "no-cuda"),
                 "HOME": "/nowhere", "FAULTS": faults,
                 "HANGS": str(self.folder), key: value,
                 **{k: str(v) for k, v in variables.items()}})
        process.began, process.results = time.monotonic(), self.folder / results
        return process

    def outcome(self, process):
        stdout, _ = process.communicate(timeout=100)
        return Outcome(process.returncode, stdout, time.monotonic() - process.began,
                       process.results)

    def run_check(self, *arguments, **options):
        return self.outcome(self.start(*arguments, **options))

    def together(self, cases):
        """Runs {name: (arguments, options)} at the same time: their time is waiting. Answers
        {name: outcome}; every case has results of its own."""
        def one(item):
            name, (arguments, options) = item
            return name, self.run_check(*arguments, results=f"results-{name}", **options)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return dict(pool.map(one, cases.items()))

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
