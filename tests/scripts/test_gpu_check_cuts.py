"""scripts/gpu-check cut from outside at random moments: what it found comes back all the same."""

import os
import random
import signal
import threading
import time

from gpu_check_support import BENCHMARKS, STEPS, GpuCheckTest, main

GIVEN = os.environ.get("TONNAGE_TEST_SEED")
SEED = int(GIVEN, 0) if GIVEN else random.SystemRandom().getrandbits(32)


class Cuts(GpuCheckTest):
    def cut(self, how, moments, **options):
        """Runs the script once for each moment (seconds) and cuts it there by how(process)."""
        running = [self.start(results=f"results-{i}", PACE=0.2, **options)
                   for i in range(len(moments))]
        for process, moment in zip(running, moments):
            threading.Timer(moment, self.cut_one, [how, process]).start()
        return [self.outcome(process) for process in running]

    @staticmethod
    def cut_one(how, process):
        try:
            how(process)
        except ProcessLookupError:
            pass  # it was quicker

    def moments(self):
        print(f"seed {SEED}", flush=True)
        source = random.Random(SEED)
        return [source.uniform(0.0, 7.0) for _ in range(6)]

    def expect_json_so_far(self, outcome):
        """At least what the log says was timed."""
        timed = [line.split(": ")[0][6:] for line in outcome.log.splitlines()
                 if line.startswith("bench ")]
        self.assertEqual(outcome.benchmarks()[:len(timed)], timed)

    def check_summaries(self, name, outcomes, seconds):
        for outcome in outcomes:
            with self.subTest(seconds=outcome.seconds):
                if not outcome.log:  # cut before there was anything to lose
                    self.assertEqual((outcome.code, outcome.results),
                                     (-getattr(signal, name), []))
                    continue
                self.assertEqual(list(outcome.rows)[:len(STEPS)], STEPS)
                self.assertEqual(outcome.log, outcome.stdout)
                self.expect_json_so_far(outcome)
                ended = "not reached" not in outcome.rows.values() and outcome.code == 0
                if not ended:
                    self.assertEqual(outcome.code, 1)
                    words = [w for w in outcome.rows.values() if "interrupted" in w]
                    self.assertLessEqual(len(words), 1)
                self.assertLess(outcome.seconds, seconds)
        self.expect_nothing_left(2)

    def test_sigterm(self):
        self.check_summaries(
            "SIGTERM", self.cut(lambda p: p.send_signal(signal.SIGTERM), self.moments()), 40)

    def test_sigint_of_the_whole_group(self):
        self.check_summaries(
            "SIGINT", self.cut(lambda p: os.killpg(p.pid, signal.SIGINT), self.moments()), 40)

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
        for outcome in self.cut(lambda p: p.kill(), self.moments()):
            with self.subTest(seconds=outcome.seconds):
                # What came out before the cut is in the log, the log before the JSON.
                self.assertTrue(outcome.log.startswith(outcome.stdout) or not outcome.stdout)
                self.assertEqual("== summary" in outcome.log, outcome.code == 0)
                self.expect_json_so_far(outcome)
        # What was under way ends by itself.
        self.expect_nothing_left(30)

    def test_reader_gone(self):
        """A reader that goes away takes neither log nor results along."""
        process = self.start()
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        logs = list(process.results.glob("*.log"))
        self.assertIn("== summary", logs[0].read_text())
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    main()
