# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/gpu-check cut from outside at random moments: what it found comes back all the same."""

import os
import random
import signal
import threading
import time

from gpu_check_support import BENCHMARKS, STEPS, GpuCheckTest, main, test_seed

SEED = test_seed()


class Cuts(GpuCheckTest):
    def cut(self, name, how):
        """Runs the script once for each of some moments and cuts it there by how(process)."""
        source = random.Random(SEED)
        moments = [source.uniform(0.0, 7.0) for _ in range(6)]
        running = [self.start(results=f"{name}-{i}", PACE=0.2) for i in range(len(moments))]
        for process, moment in zip(running, moments):
            threading.Timer(moment, self.cut_one, [how, process]).start()
        return [self.outcome(process) for process in running]

    @staticmethod
    def cut_one(how, process):
        try:
            how(process)
        except ProcessLookupError:
            pass  # it was quicker

    def expect_json_so_far(self, outcome):
        """At least what the log says was timed."""
        timed = [line.split(": ")[0][6:] for line in outcome.log.splitlines()
                 if line.startswith("bench ")]
        self.assertEqual(outcome.benchmarks()[:len(timed)], timed)

    def check_summaries(self, name, outcomes):
        for outcome in outcomes:
            with self.subTest(code=outcome.code, seconds=outcome.seconds, stdout=outcome.stdout):
                if not outcome.stdout:  # cut before the script had begun
                    self.assertEqual((outcome.code, outcome.results),
                                     (-getattr(signal, name), []))
                    continue
                self.assertIn("== summary\n", outcome.stdout)
                if outcome.results:
                    self.assertEqual(outcome.log, outcome.stdout)
                    self.assertEqual(list(outcome.rows)[:len(STEPS)], STEPS)
                self.expect_json_so_far(outcome)
                if outcome.code != 0 or "not reached" in outcome.rows.values():
                    self.assertEqual(outcome.code, 1)
                    words = [w for w in outcome.rows.values() if "interrupted" in w]
                    self.assertLessEqual(len(words), 1)
        self.expect_nothing_left(2)

    def test_sigterm(self):
        self.check_summaries("SIGTERM", self.cut("term", lambda p: p.send_signal(signal.SIGTERM)))

    def test_sigint_of_the_whole_group(self):
        self.check_summaries("SIGINT", self.cut("int", lambda p: os.killpg(p.pid, signal.SIGINT)))

    def test_sigterm_while_a_step_hangs(self):
        for part in ("build", "bench.sweep", "tests", "racecheck"):
            with self.subTest(part):
                process = self.start(faults=f"{part}=hang", results=part)
                end = time.monotonic() + 60
                while not (self.folder / f"hangs-{part}").exists():
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.05)
                before = time.monotonic()
                process.send_signal(signal.SIGTERM)
                outcome = self.outcome(process)
                self.assertLess(time.monotonic() - before, 10)
                self.assertEqual(outcome.code, 1)
                self.assertIn("FAILED: interrupted (SIGTERM)", outcome.rows.values())
                self.assertIn("the last words before hanging", outcome.log)
                self.expect_json_so_far(outcome)
                self.expect_nothing_left(2)

    def test_sigkill(self):
        """No summary then: the log up to there, and every benchmark that was timed."""
        for outcome in self.cut("kill", lambda p: p.kill()):
            with self.subTest(seconds=outcome.seconds):
                # What came out before the cut is in the log, the log before the JSON.
                self.assertTrue(outcome.log.startswith(outcome.stdout),
                                f"log {outcome.log!r}, standard output {outcome.stdout!r}")
                self.assertTrue("== summary" in outcome.log or outcome.code != 0)
                self.expect_json_so_far(outcome)
        # What was under way ends by itself.
        self.expect_nothing_left(30)

    def test_sigkill_in_the_middle_of_the_benchmarks(self):
        process = self.start(results="middle", PACE=0.2)
        while "bench sweep/size:1" not in process.stdout.readline():
            self.assertIsNone(process.poll())
        process.kill()
        outcome = self.outcome(process)
        self.assertIn("bench sweep/size:1", outcome.log)
        self.assertLessEqual(set(BENCHMARKS[:3]), set(outcome.benchmarks()))
        # The sampling of clocks has nobody left to sample for.
        self.expect_nothing_left(30)

    def test_reader_gone(self):
        """A reader that goes away takes neither log nor results along."""
        process = self.start(results="reader")
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        logs = list(process.results.glob("*.log"))
        self.assertIn("== summary", logs[0].read_text())
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    main()
