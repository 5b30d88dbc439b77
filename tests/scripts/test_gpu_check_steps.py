# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/gpu-check: every step failing, hanging or missing in turn."""

import re

from gpu_check_support import BENCHMARKS, PARITY, SANITIZERS, STEPS, GpuCheckTest, main


def underscored(steps, begin):
    return {step.replace(" ", "_"): begin for step in steps}


class Steps(GpuCheckTest):
    @classmethod
    def cases(cls):
        def fault(text):
            return (), {"faults": text}

        def hang(part, limits):
            return ("--limits", f"{limits},kill=1"), {"faults": f"{part}=hang"}

        return {
            # The longest first.
            "bench-hang": hang("bench.sweep", "bench=8"),
            "parity-hang": hang("parity.max", "parity=14"),
            "smi-deaf": (("--limits", "kill=1"), {"faults": "nvidia-smi=hang"}),
            "tests-slow": hang("tests.build", "tests=4"), "tests-hang": hang("tests", "tests=4"),
            "build-hang": hang("build", "build=2"),
            "well": (("--commit", 'lent "1" \\'), {}),
            "configure": fault("configure=fail"), "build": fault("build=fail"),
            "no-cmake": ((), {"without": ("cmake",)}),
            **{f"parity-{how}-{kind}": fault(f"parity.{kind}={how}")
               for how in ("fail", "crash") for kind in ("max", "points")},
            "parity-all": fault(" ".join(f"{row.replace(' ', '.')}=fail" for row in PARITY)),
            "bench-one": fault("bench.sweep=fail"), "bench-none": fault("bench=fail"),
            "bench-lasting": fault("bench.sweep.lasting=fail"), "bench-crash": fault("bench.sweep=crash"),
            "skip": (("--limits", "bench=0,parity=0"), {}),
            "tests-library": fault("tests.configure=fail"), "tests-fail": fault("tests=fail"),
            "tests-build": fault("tests.build=fail"),
            "given": (("--check", cls.stand_ins / "tonnage_gpu_check"), {"without": ("cmake",)}),
            "smi-absent": ((), {"without": ("nvidia-smi",)}),
            "smi-broken": fault("nvidia-smi=fail")}

    def test_all_steps_in_their_order(self):
        got = self.got["well"]
        self.expect_rows(got, 0)
        titles = re.findall(r"^== (.*)$", got.log, re.M)
        self.assertEqual(titles, ["build", "parity", "benchmarks", "GPU tests",
                                  *[f"compute-sanitizer {tool}" for tool in SANITIZERS],
                                  "profiles: scripts/gpu-check profile, or one by one", "summary"])
        self.assertEqual(got.log, got.stdout)
        self.assertEqual(got.benchmarks(), BENCHMARKS)
        machine = next(iter(got.jsons.values()))["context"]["machine"]
        self.assertEqual(machine["commit"], 'lent "1" \\')
        self.assertEqual(machine["driver"], "580.1")
        self.assertEqual(machine["nvcc"], "13.0, V13.0.88")
        self.assertRegex(got.log, r"\nsm_clock_mhz: 345 / 1755 / 1980 \(min / median / max of ")
        self.assertIn("power_w: no samples", got.log)
        self.assertIn("--set full --clock-control none", got.log)
        self.assertIn("profile SizeLines\\<true\\>", got.log)
        self.assertRegex(got.results[0].name, r"^\d{4}-\d\d-\d\d-stand-in-h1-lent--1---\.csv$")
        self.assertEqual(len(got.results), 3)

    def test_failures_and_hangs_of_the_build(self):
        words = {"configure": "FAILED: Could NOT find GTest",
                 "build": "FAILED: main.cpp:3: error: expected ';'",
                 "build-hang": "FAILED: cut after", "no-cmake": "FAILED: no cmake here"}
        for name, begin in words.items():
            with self.subTest(name):
                self.expect_rows(self.got[name], 1, build=begin,
                                 **underscored(STEPS[1:], "not reached"))
        self.assertIn("the last words before hanging", self.got["build-hang"].log)

    def test_one_verdict_for_each_kind_and_benchmarks_whatever_they_are(self):
        no_verdict = "FAILED: no verdict, "
        words = {"all": "FAILED: fleet 3", "hang": no_verdict + "cut after"}
        for kind in ("max", "points"):
            words[f"fail-{kind}"] = "FAILED: fleet 3, line 7 differs"
            words[f"crash-{kind}"] = f"{no_verdict}status 139: the last words of parity.{kind}"
        for name, begin in words.items():
            with self.subTest(name):
                got = self.got[f"parity-{name}"]
                kind = name.partition("-")[2] or "max"
                bad = PARITY if name == "all" else [f"parity {kind}"]
                self.expect_rows(got, 1, **underscored(bad, begin))
                self.assertEqual(got.benchmarks(), BENCHMARKS)

    def test_benchmarks_that_fail_crash_or_hang(self):
        one = self.got["bench-one"]
        self.expect_rows(one, 1, benchmarks="FAILED: 4 timed, 2 failed, first: sweep/size:1: "
                                            "FAILED: GPU and CPU differ")
        self.assertEqual(one.benchmarks(), [n for n in BENCHMARKS if "sweep" not in n])
        self.expect_rows(self.got["bench-none"], 1,
                         benchmarks="FAILED: 0 timed, status 1: needs a GPU: none found, no JSON")
        self.expect_rows(self.got["bench-lasting"], 1,
                         benchmarks="FAILED: 2 timed, 4 failed, first: sweep/size:1: FAILED: GPU and "
                                    "CPU differ; of the groups alone: 4 timed, 2 failed")
        left_out = "left out: its limit is 0"
        self.expect_rows(self.got["skip"], 0, benchmarks=left_out, **underscored(PARITY, left_out))
        for name, why in {"bench-crash": "status 139: the last words of bench.sweep",
                          "bench-hang": "cut after 8 s"}.items():
            with self.subTest(name):
                got = self.got[name]
                self.expect_rows(got, 1, benchmarks=f"FAILED: 2 timed, {why}; of the groups "
                                                    "alone: 4 timed, 0 failed")
                self.assertEqual(got.benchmarks(), BENCHMARKS[:2])
                groups = {n.split(".")[1]: len(d["benchmarks"]) for n, d in got.jsons.items()
                          if n.count(".") == 2}
                self.assertEqual(groups, {"ceilings": 2, "searches": 2})

    def test_gpu_tests(self):
        words = {"tests-library": (0, "left out: not configured: Could NOT find GTest"),
                 "tests-fail": (1, "FAILED: status 8: 1/2 Test #1: gpu ***Failed"),
                 "tests-build": (1, "FAILED: build: main.cpp:3: error"),
                 "tests-slow": (0, "left out: not built within 4 s"),
                 "tests-hang": (1, "FAILED: cut after"),
                 "given": (0, "left out: nothing is built with --check")}
        for name, (code, begin) in words.items():
            with self.subTest(name):
                self.expect_rows(self.got[name], code, GPU_tests=begin)

    def test_nvidia_smi_absent_broken_or_deaf(self):
        for name in ("absent", "broken", "deaf"):
            with self.subTest(name):
                got = self.got[f"smi-{name}"]
                self.expect_rows(got, 0)
                self.assertIn("GPU: unknown, compute capability unknown", got.log)
                machine = next(iter(got.jsons.values()))["context"]["machine"]
                self.assertEqual(machine["driver"], "unknown")
        self.assertLess(self.got["smi-deaf"].seconds, 40)  # asked once, not for every field

    def test_no_process_is_left(self):
        self.expect_nothing_left(2)


if __name__ == "__main__":
    main()
