# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/gpu-check: what is made of sanitizer reports, names of results, commits, profiles, usage."""

import pathlib
import shutil
import subprocess

from gpu_check_support import BENCHMARKS, SANITIZERS, GpuCheckTest, main


class Reports(GpuCheckTest):
    """What compute-sanitizer reports is advisory."""

    CUB = ("=========     at void cub::CUB_300001_SM_900::DeviceScanKernel<tonnage::Row>(T1)+0x40\n"
           "=========     by thread (3,0,0) in block (1,0,0)\n"
           "=========     Saved host backtrace up to driver entry point at kernel launch time\n"
           "=========         Host Frame: tonnage::order() [0x1f] in tonnage_gpu_check\n"
           "========= \n")
    INITCHECK = ("========= Uninitialized __global__ memory read of size 4 bytes\n" + CUB)
    RACE = ("========= Error: Race reported between Write access at void thrust::cub::F<int>+0x1\n"
            "=========     and Read access at 0x570 in /usr/include/cub/warp/x.cuh:3:F [8 hazards]\n"
            "========= \n========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)\n")

    @classmethod
    def cases(cls):
        def reports(name, text):
            path = cls.folder / f"{name}.txt"
            path.write_text(text)
            return (), {"REPORTS": path}

        summary = "========= ERROR SUMMARY: 2 errors\n"
        ours = cls.INITCHECK.replace("void cub::CUB_300001_SM_900::", "tonnage::cuda::")
        by = "=========     by"
        inlined = cls.INITCHECK.replace(
            by, f"=========         Device Frame: tonnage::key(int)+0x3 in order.cu:7\n{by}")
        return {
            "hang": (("--limits", "sanitizer=4,kill=1"), {"faults": "initcheck=hang"}),
            "known": reports("known", cls.INITCHECK + "========= ERROR SUMMARY: 1 error\n"),
            "race": reports("race", cls.RACE),
            "mixed": reports("mixed", cls.INITCHECK + ours + summary),
            "inlined": reports("inlined", inlined), "odd": reports("odd", summary),
            "refused": ((), {"faults": "memcheck=fail"}),
            "absent": ((), {"without": ("compute-sanitizer",)})}

    def test_outcomes(self):
        got = self.got
        # An access out of bounds inside of CUB comes from a size handed over: never known.
        first = "first: Uninitialized __global__ memory read of size 4 bytes"
        self.expect_rows(got["known"], 0, memcheck="advisory: 1 to look into (above), " + first,
                         synccheck="advisory: 1 to look into",
                         initcheck="ok: ERROR SUMMARY: 1 error, 1 known of CUB and Thrust")
        self.expect_rows(got["race"], 0, memcheck="advisory: 1", synccheck="advisory: 1",
                         racecheck="ok: RACECHECK SUMMARY: 1 hazard")
        wanted = f"advisory: 1 to look into (above), {first}, 1 known of CUB and Thrust"
        self.expect_rows(got["mixed"], 0, memcheck="advisory: 2", synccheck="advisory: 2",
                         initcheck=wanted, racecheck=wanted)
        self.expect_rows(got["inlined"], 0, **{tool: "advisory: 1 to look" for tool in SANITIZERS})
        self.expect_rows(got["odd"], 0, **{t: "advisory: ERROR SUMMARY: 2" for t in SANITIZERS})
        self.expect_rows(got["refused"], 0, memcheck="advisory: could not check: status 1: "
                                                     "========= Device not supported")
        self.expect_rows(got["hang"], 0, initcheck="advisory: cut after 4 s, nothing new until then")
        self.expect_rows(got["absent"], 0, **{t: "left out: no compute-sanitizer" for t in SANITIZERS})
        self.expect_nothing_left(1)


class Results(GpuCheckTest):
    @classmethod
    def cases(cls):
        same = (), {"results": "shared", "PACE": 0.1}
        return {"late": (("--limit", "14", "--limits", "build=4,parity=20,kill=1"),
                         {"faults": "parity.max=hang"}), "first": same, "second": same, "third": same}

    def test_runs_do_not_overwrite_one_another(self):
        got = self.run_check(results="shared")
        self.assertEqual([self.got[name].code for name in ("first", "second", "third")], [0, 0, 0])
        self.assertEqual(len(got.jsons), 4)
        self.assertEqual(len([path for path in got.results if path.suffix == ".log"]), 4)
        for document in got.jsons.values():
            self.assertEqual(len(document["benchmarks"]), len(BENCHMARKS))

    def test_nothing_is_written_elsewhere(self):
        before = sorted(self.tree.rglob("*"))
        temporary = self.folder / "temporary"
        temporary.mkdir()
        self.expect_rows(self.run_check(TMPDIR=temporary, HOME=temporary, results="own"), 0)
        self.assertEqual(sorted(self.tree.rglob("*")), before)
        self.assertEqual(list(temporary.iterdir()), [])

    def test_a_recorded_result_without_a_log_stays(self):
        name = self.run_check("--commit", "c", results="one").results[0].stem
        results = self.folder / "other"
        results.mkdir()
        (results / f"{name}.json").write_text('{"benchmarks": []}')
        got = self.run_check("--commit", "c", results="other")
        self.assertEqual((results / f"{name}.json").read_text(), '{"benchmarks": []}')
        self.assertIn(f"{name}-2.json", got.jsons)

    def commit_of(self, **options):
        return next(iter(self.run_check(**options).jsons.values()))["context"]["machine"]["commit"]

    def test_commit_comes_from_the_tree_alone(self):
        if not shutil.which("git"):
            self.skipTest("needs git")
        (self.tools / "git").symlink_to(shutil.which("git"))

        def run_git(*arguments, cwd):
            subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *arguments], cwd=cwd,
                           check=True, capture_output=True)

        run_git("init", cwd=self.folder)
        run_git("commit", "--allow-empty", "-m", "around", cwd=self.folder)
        self.assertEqual(self.commit_of(results="within"), "unknown")
        run_git("init", cwd=self.tree)
        run_git("add", ".", cwd=self.tree)
        run_git("commit", "-m", "own", cwd=self.tree)
        self.assertRegex(self.commit_of(results="clean"), r"^[0-9a-f]{7,}$")
        with open(self.tree / "scripts" / "gpu-check", "a") as script:
            script.write("\n")
        self.assertRegex(self.commit_of(results="dirty"), r"^[0-9a-f]{7,}-dirty$")

    def test_steps_that_no_longer_fit_are_left_out(self):
        got = self.got["late"]
        self.assertLess(got.seconds, 15)
        self.expect_rows(got, 1, parity_max="FAILED: no verdict, cut", GPU_tests="left out: ",
                         benchmarks="FAILED: left out: ",
                         **{tool: "left out: " for tool in SANITIZERS})

    def test_usage(self):
        cases = [["--what"], ["word"], ["--results"], ["--limit", "-1"], ["--limit", "1e3"],
                 ["--limits", "parity"], ["--limits", "what=3"], ["--limits", "parity=nan"],
                 ["--limits", "$(exit)=1"], ["--limits", "=1"], ["--check", "/nowhere"],
                 ["--check", str(self.folder)], ["--results", "/dev/null"]]
        for arguments in cases:
            with self.subTest(arguments):
                got = self.run_check(*arguments)
                self.assertEqual(got.code, 2, got.stdout)
                self.assertEqual(got.results, [])
                self.assertRegex(got.stdout, r"^gpu-check: .*\nusage: ")


class Profile(GpuCheckTest):
    @classmethod
    def cases(cls):
        named = ("profile", "--limits", "profile=3,kill=1")
        return {"all": (("profile",), {}), "one": ((*named, "sweep"), {}),
                "refused": ((*named, "sweep"), {"faults": "ncu=fail"}),
                "hang": ((*named, "sweep"), {"faults": "ncu=hang"}),
                "list": (named, {"faults": "kernels=fail"})}

    def test_profiles(self):
        got = self.got
        rows = {name: {k: v for k, v in outcome.rows.items() if k not in ("build", "result")}
                for name, outcome in got.items()}
        self.assertEqual(rows["all"], {"sweep": "ok", "SizeLines<true>": "ok"})
        self.assertEqual(rows["one"], {"sweep": "ok"})
        self.assertIn("no permission to read the GPU's counters", rows["refused"]["sweep"])
        self.assertEqual(rows["hang"], {"sweep": "FAILED: cut after 3 s"})
        self.assertEqual(rows["list"], {"profile": "FAILED: the program lists no kernels: status 1"})
        self.assertEqual([outcome.code for outcome in got.values()], [0, 0, 1, 1, 1])
        reports = [p.name.split(".")[1] for p in got["all"].results if p.suffix == ".ncu-rep"]
        self.assertEqual(reports, ["SizeLines-true-", "sweep"])
        self.expect_nothing_left(1)

    def test_without_ncu(self):
        if list(pathlib.Path("/opt/nvidia/nsight-compute").glob("*/ncu")):
            self.skipTest("Nsight Compute is installed here")
        got = self.run_check("profile", "sweep", without=("ncu",))
        self.assertEqual((got.code, got.rows["sweep"]), (1, "FAILED: no ncu here (Nsight Compute)"))


if __name__ == "__main__":
    main()
