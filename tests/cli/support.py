# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: running it, small fleets, temporary folders."""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BINARY = os.environ["TONNAGE_BINARY"]
SOURCE = pathlib.Path(os.environ["TONNAGE_SOURCE"])
sys.path.append(str(SOURCE / "tests" / "support"))

from seed import test_seed  # noqa: E402, F401  (for the tests beside this file)

SMALL = str(SOURCE / "examples" / "fleets" / "small.json")
CONFORMANCE = os.environ.get("TONNAGE_CONFORMANCE_DIR", "")

# Sanitizers reserve terabytes: limits on memory mean nothing there.
SANITIZED = any(mark in pathlib.Path(BINARY).read_bytes()
                for mark in (b"__asan_init", b"__tsan_init"))

COMPLETE, FAILED, BAD_INPUT, INCOMPLETE = 0, 1, 2, 3


def run(*arguments, stdin="", stdout=subprocess.PIPE, environment=None):
    """Runs the command; the result has returncode, stdout, stderr."""
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TONNAGE_BACKEND")}
    variables.update(environment or {})
    return subprocess.run([BINARY, *map(str, arguments)], input=stdin, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=120, env=variables)


def fleet():
    """Two accelerators, one model, two servers; capacity for everything."""
    def server(name, service_class, rate):
        return {"name": name, "class": service_class, "model": "m", "keepAccelerator": False,
                "minNumReplicas": 1, "maxQueueSize": 50,
                "currentAlloc": {"accelerator": "", "numReplicas": 0, "maxBatch": 0, "cost": 0,
                                 "itlAverage": 0, "ttftAverage": 0,
                                 "load": {"arrivalRate": rate, "throughput": 0,
                                          "avgInTokens": 256, "avgOutTokens": 128}}}

    power = {"idle": 50, "full": 400, "midPower": 300, "midUtil": 0.6}
    return {"system": {
        "acceleratorData": {"accelerators": [
            {"name": "big", "type": "B", "multiplicity": 1, "memSize": 80, "memBW": 3000,
             "power": power, "cost": 300.0},
            {"name": "small", "type": "S", "multiplicity": 2, "memSize": 24, "memBW": 600,
             "power": power, "cost": 90.0}]},
        "capacityData": {"count": [{"type": "B", "count": 20}, {"type": "S", "count": 20}]},
        "modelData": {"models": [
            {"name": "m", "acc": "big", "accCount": 1, "maxBatchSize": 32, "atTokens": 128,
             "perfParms": {"alpha": 8, "beta": 0.03, "gamma": 0.0001}},
            {"name": "m", "acc": "small", "accCount": 1, "maxBatchSize": 16, "atTokens": 128,
             "perfParms": {"alpha": 15, "beta": 0.06, "gamma": 0.0003}}]},
        "serviceClassData": {"serviceClasses": [
            {"name": "gold", "priority": 1,
             "modelTargets": [{"model": "m", "slo-itl": 20, "slo-ttft": 500}]},
            {"name": "Free", "priority": 10,
             "modelTargets": [{"model": "m", "slo-itl": 60, "slo-ttft": 2000}]}]},
        "serverData": {"servers": [server("alpha", "gold", 900), server("omega", "", 400)]},
        "optimizerData": {"optimizer": {"unlimited": False, "saturationPolicy": "None"}}}}


def part(document, section):
    """The list of a section of a fleet: part(fleet(), "serverData")."""
    return next(iter(document["system"][section].values()))


class CommandTest(unittest.TestCase):
    """A test case with a temporary folder and shorthand for files and answers."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tonnage-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def expect(self, code, *arguments, **options):
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, code,
                         f"{arguments}: stdout {(result.stdout or '')[:2000]!r}, "
                         f"stderr {result.stderr[:2000]!r}")
        return result

    def answer(self, code, *arguments, **options):
        """The JSON on standard output; no number in it may be anything but finite."""
        def refuse(word):
            raise AssertionError(f"{word} in the output of {arguments}")

        result = self.expect(code, *arguments, **options)
        return json.loads(result.stdout, parse_constant=refuse)

    def plan(self, document, code=COMPLETE, *options):
        return self.answer(code, "plan", "-", "--format", "json", *options,
                           stdin=json.dumps(document))

    def assertClose(self, got, expected, relative=1e-3):
        self.assertLessEqual(abs(got - expected), relative * abs(expected) + 1e-12,
                             f"{got} is not {expected}")


def changed(document, change):
    """A deep copy of a document to which `change` has been applied."""
    other = copy.deepcopy(document)
    change(other)
    return other


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)
