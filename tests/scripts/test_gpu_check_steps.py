"""scripts/gpu-check: every step failing, hanging or missing in turn."""

import re

from gpu_check_support import BENCHMARKS, PARITY, SANITIZERS, STEPS, GpuCheckTest, main


class Steps(GpuCheckTest):
    def test_all_steps_in_their_order(self):
        got = self.run_check("--commit", 'lent "1" \\')
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
        self.expect_nothing_left(0)

    def test_nothing_is_written_elsewhere(self):
        before = sorted(self.tree.rglob("*"))
        temporary = self.folder / "temporary"
        temporary.mkdir()
        self.expect_rows(self.run_check(TMPDIR=temporary, HOME=temporary), 0)
        self.assertEqual(sorted(self.tree.rglob("*")), before)
        self.assertEqual(list(temporary.iterdir()), [])

    def test_failures_and_hangs_of_the_build(self):
        got = self.together({
            "configure": ((), {"faults": "configure=fail"}),
            "build": ((), {"faults": "build=fail"}),
            "hang": (("--limits", "build=2,kill=1"), {"faults": "build=hang"}),
            "no-cmake": ((), {"without": ("cmake",)})})
        words = {"configure": "FAILED: Could NOT find GTest",
                 "build": "FAILED: main.cpp:3: error: expected ';'", "hang": "FAILED: cut after",
                 "no-cmake": "FAILED: no cmake here"}
        for name, outcome in got.items():
            with self.subTest(name):
                others = {step.replace(" ", "_"): "not reached" for step in STEPS[1:]}
                self.expect_rows(outcome, 1, build=words[name], **others)
        self.assertIn("the last words before hanging", got["hang"].log)
        self.expect_nothing_left(1)

    def test_one_verdict_for_each_kind_and_benchmarks_whatever_they_are(self):
        cases = {f"{how}-{kind}": ((), {"faults": f"parity.{kind}={how}"})
                 for how in ("fail", "crash") for kind in ("max", "points")}
        cases["hang"] = (("--limits", "parity=14,kill=1"), {"faults": "parity.max=hang"})
        cases["all"] = ((), {"faults": " ".join(f"{row.replace(' ', '.')}=fail" for row in PARITY)})
        for name, outcome in self.together(cases).items():
            with self.subTest(name):
                how, _, kind = name.partition("-")
                words = {"fail": "FAILED: fleet 3, line 7 differs", "hang": "FAILED: no verdict, cut",
                         "all": "FAILED: fleet 3",
                         "crash": f"FAILED: no verdict, status 139: the last words of parity.{kind}"}
                bad = PARITY if how == "all" else [f"parity {kind or 'max'}"]
                self.expect_rows(outcome, 1, **{b.replace(" ", "_"): words[how] for b in bad})
                self.assertEqual(outcome.benchmarks(), BENCHMARKS)
        self.expect_nothing_left(1)

    def test_benchmarks_that_fail_crash_or_hang(self):
        got = self.together({
            "one": ((), {"faults": "bench.sweep=fail"}), "none": ((), {"faults": "bench=fail"}),
            "crash": ((), {"faults": "bench.sweep=crash"}),
            "hang": (("--limits", "bench=8,kill=1"), {"faults": "bench.sweep=hang"}),
            "skip": (("--limits", "bench=0,parity=0"), {})})
        self.expect_rows(got["one"], 1, benchmarks="FAILED: 4 timed, 2 failed, first: sweep/size:1: "
                                                   "FAILED: GPU and CPU differ")
        self.assertEqual(got["one"].benchmarks(), [n for n in BENCHMARKS if "sweep" not in n])
        self.expect_rows(got["none"], 1,
                         benchmarks="FAILED: 0 timed, status 1: needs a GPU: none found, no JSON")
        self.expect_rows(got["skip"], 0, benchmarks="left out: its limit is 0",
                         **{row.replace(" ", "_"): "left out: its limit is 0" for row in PARITY})
        for name, why in {"crash": "status 139: the last words of bench.sweep",
                          "hang": "cut after 8 s"}.items():
            with self.subTest(name):
                self.expect_rows(got[name], 1, benchmarks=f"FAILED: 2 timed, {why}; of the groups "
                                                          "alone: 4 timed, 0 failed")
                self.assertEqual(got[name].benchmarks(), BENCHMARKS[:2])
                groups = {n.split(".")[1]: len(d["benchmarks"]) for n, d in got[name].jsons.items()
                          if n.count(".") == 2}
                self.assertEqual(groups, {"ceilings": 2, "searches": 2})
        self.expect_nothing_left(1)

    def test_gpu_tests(self):
        got = self.together({
            "library": ((), {"faults": "tests.configure=fail"}),
            "fail": ((), {"faults": "tests=fail"}),
            "build": ((), {"faults": "tests.build=fail"}),
            "slow": (("--limits", "tests=4,kill=1"), {"faults": "tests.build=hang"}),
            "hang": (("--limits", "tests=4,kill=1"), {"faults": "tests=hang"}),
            "given": (("--check", self.stand_ins / "tonnage_gpu_check"), {"without": ("cmake",)})})
        words = {"library": (0, "left out: not configured: Could NOT find GTest"),
                 "fail": (1, "FAILED: status 8: 1/2 Test #1: gpu ***Failed"),
                 "build": (1, "FAILED: build: main.cpp:3: error"),
                 "slow": (0, "left out: not built within 4 s"), "hang": (1, "FAILED: cut after 4 s"),
                 "given": (0, "left out: nothing is built with --check")}
        for name, (code, begin) in words.items():
            with self.subTest(name):
                self.expect_rows(got[name], code, GPU_tests=begin)
        self.expect_nothing_left(1)

    def test_nvidia_smi_absent_broken_or_deaf(self):
        got = self.together({
            "absent": ((), {"without": ("nvidia-smi",)}), "broken": ((), {"faults": "nvidia-smi=fail"}),
            "deaf": (("--limits", "kill=1"), {"faults": "nvidia-smi=hang"})})
        for name, outcome in got.items():
            with self.subTest(name):
                self.expect_rows(outcome, 0)
                self.assertIn("GPU: unknown, compute capability unknown", outcome.log)
                machine = next(iter(outcome.jsons.values()))["context"]["machine"]
                self.assertEqual(machine["driver"], "unknown")
        self.assertLess(got["deaf"].seconds, 30)
        self.expect_nothing_left(1)


if __name__ == "__main__":
    main()
