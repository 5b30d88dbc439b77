# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Queue problems: the published check value, fields, errors by pointer, the published curves."""

import json
import pathlib
import sys

from support import BAD_INPUT, COMPLETE, CONFORMANCE, SOURCE, CommandTest, main

PROBLEM = {"RPS": 3, "maxBatchSize": 48, "avgInputTokens": 128, "avgOutputTokens": 512, "alpha": 12,
           "beta": 0.05, "gamma": 0.0005, "maxQueueSize": 128}
TARGETS = {"targetTTFT": 60, "targetITL": 20}
METRICS = {"offeredRPS", "throughput", "avgRespTime", "avgWaitTime", "avgNumInServ", "avgTTFT",
           "avgITL", "maxRPS", "dropProbability", "ttftP50", "ttftP90", "ttftP95", "ttftP99"}


class Queue(CommandTest):
    def ask(self, kind, problem, code=COMPLETE):
        return self.answer(code, "queue", kind, "-", stdin=json.dumps(problem))

    def test_check_value_of_solve(self):
        got = self.ask("solve", PROBLEM)
        self.assertEqual(set(got), METRICS)
        for field, expected in (("avgITL", 20.1189), ("avgTTFT", 67.615), ("avgWaitTime", 21.405),
                                ("maxRPS", 3.86093), ("offeredRPS", 3)):
            self.assertClose(got[field], expected, 3e-5)  # digits published

    def test_check_value_of_target(self):
        got = self.ask("target", PROBLEM | TARGETS)
        self.assertEqual(set(got), METRICS | {"feasible", "RPSTargetTTFT", "RPSTargetITL"})
        self.assertIs(got["feasible"], True)
        self.assertClose(got["throughput"], 2.94946, 1e-5)
        self.assertClose(got["offeredRPS"], min(got["RPSTargetTTFT"], got["RPSTargetITL"]), 1e-9)

    def test_optimize(self):
        got = self.ask("optimize", PROBLEM | TARGETS | {"maxBatchSize": 200})
        self.assertEqual(set(got), METRICS | {"feasible", "concurrency", "M_ITL", "M_TPF"})
        best = max(self.ask("target", PROBLEM | TARGETS | {"maxBatchSize": m})["throughput"]
                   for m in (48, 100, 150, 200, got["concurrency"]))
        self.assertGreaterEqual(got["throughput"], 0.98 * best * (1 - 1e-9))
        fewer = PROBLEM | TARGETS | {"maxBatchSize": got["concurrency"] - 1}
        self.assertLess(self.ask("target", fewer)["throughput"], got["throughput"])

    def test_infeasible_is_an_answer_with_a_reason(self):
        got = self.ask("target", PROBLEM | {"targetITL": 5})
        self.assertEqual(set(got), {"feasible", "throughput", "reason"})
        self.assertEqual((got["feasible"], got["throughput"]), (False, 0))
        self.assertRegex(got["reason"], r"ITL is at best 12\.\d+ ms, target 5 ms")
        got = self.ask("optimize", PROBLEM | {"targetTTFT": 1})
        self.assertEqual((got["feasible"], got["concurrency"]), (False, 1))
        self.assertIn("TTFT is at best", got["reason"])

    def test_one_problem_out_of_range_leaves_the_others_answered(self):
        tiny = PROBLEM | {"alpha": 1e-310, "beta": 0, "gamma": 0}
        for kind in ("solve", "target", "optimize"):
            got = self.ask(kind, [PROBLEM, tiny, PROBLEM])
            self.assertEqual(got[0], self.ask(kind, PROBLEM))
            self.assertEqual(got[2], got[0])
            self.assertIn("all below 1e-100 ms", got[1]["reason"])
        run = self.expect(COMPLETE, "queue", "solve", "-", stdin=json.dumps([PROBLEM, tiny]))
        self.assertIn("standard input: /1: warning:", run.stderr)

    def test_latencies_are_never_negative(self):
        long_prompts = {"RPS": 0.2, "maxBatchSize": 64, "avgInputTokens": 65536,
                        "avgOutputTokens": 1, "alpha": 19.588, "beta": 0.0763, "gamma": 0.000225}
        got = self.ask("solve", long_prompts)
        self.assertEqual(got["avgITL"], 0)
        self.assertEqual(got["avgTTFT"], got["avgRespTime"])

    def test_arrays_in_the_same_order(self):
        problems = [PROBLEM | {"RPS": rate} for rate in (1, 3, 2)]
        self.assertEqual(self.ask("solve", problems), [self.ask("solve", p) for p in problems])
        self.assertEqual(self.ask("solve", []), [])

    def test_keys_in_any_case_and_token_budget(self):
        plain = self.ask("solve", PROBLEM)
        self.assertEqual(self.ask("solve", {k.upper(): v for k, v in PROBLEM.items()}), plain)
        self.assertEqual(self.ask("solve", PROBLEM | {"maxNumTokens": 8192}), plain)
        self.assertNotEqual(self.ask("solve", PROBLEM | {"maxNumTokens": 100}), plain)

    def test_all_errors_at_once_by_pointer_and_nothing_answered(self):
        problems = [PROBLEM | {"RPS": 0}, PROBLEM, PROBLEM | {"maxBatchSize": 1.5},
                    PROBLEM | {"alpha": "fast", "beta": -1}, 7]
        result = self.expect(BAD_INPUT, "queue", "solve", "-", stdin=json.dumps(problems))
        self.assertEqual(result.stdout, "")
        for pointer in ("/0/RPS", "/2/maxBatchSize", "/3/alpha", "/3/beta", "/4:"):
            self.assertIn(pointer, result.stderr)
        self.assertNotIn("/1", result.stderr)

    def test_refused_values(self):
        for change in ({"RPS": -1}, {"maxBatchSize": 0}, {"avgOutputTokens": 0}, {"gamma": 1e300},
                       {"maxQueueSize": -1}, {"alpha": 0, "beta": 0, "gamma": 0}, {"RPS": None},
                       {"maxBatchSize": 2**21}):
            with self.subTest(change=change):
                self.expect(BAD_INPUT, "queue", "solve", "-", stdin=json.dumps(PROBLEM | change))
        for missing in PROBLEM.keys() - {"maxQueueSize"}:
            with self.subTest(missing=missing):
                rest = {k: v for k, v in PROBLEM.items() if k != missing}
                result = self.expect(BAD_INPUT, "queue", "solve", "-", stdin=json.dumps(rest))
                self.assertIn(missing, result.stderr)

    def test_overload_is_an_answer(self):
        got = self.ask("solve", PROBLEM | {"RPS": 1e6})
        self.assertGreater(got["dropProbability"], 0.999)
        self.assertClose(got["throughput"], got["maxRPS"] / 0.999, 1e-6)

    def test_examples(self):
        for kind in ("solve", "target", "optimize"):
            self.answer(COMPLETE, "queue", kind, SOURCE / "examples" / "queue" / f"{kind}.json")


class PublishedCurves(CommandTest):
    def test_every_row(self):
        if not CONFORMANCE:
            self.skipTest("TONNAGE_CONFORMANCE_DIR is not set")
        curves = json.loads((pathlib.Path(CONFORMANCE) / "queue-curves.json").read_text())
        rows = 0
        for curve in curves:
            problems = [curve["problem"] | {"maxBatchSize": row["maxBatchSize"]}
                        for row in curve["curve"]]
            text = json.dumps(problems)
            solved = self.answer(COMPLETE, "queue", "solve", "-", stdin=text)
            sized = self.answer(COMPLETE, "queue", "target", "-", stdin=text)
            for row, metrics, answer in zip(curve["curve"], solved, sized, strict=True):
                for field in ("avgITL", "avgNumInServ", "avgRespTime", "avgTTFT", "maxRPS",
                              "throughput"):
                    self.assertClose(metrics[field], row[field])
                # The published wait is a float32 difference: short waits carry its rounding.
                self.assertLessEqual(abs(metrics["avgWaitTime"] - row["avgWaitTime"]),
                                     1e-3 * row["avgWaitTime"] + 2.4e-7 * row["avgRespTime"])
                self.assertEqual(answer["feasible"], row["sloThroughput"] > 0)
                if answer["feasible"]:
                    self.assertClose(answer["throughput"], row["sloThroughput"])
                    self.assertClose(answer["RPSTargetITL"], row["RPSTargetITL"])
                    self.assertClose(answer["RPSTargetTTFT"], row["RPSTargetTTFT"])
                rows += 1
        print(f"{rows} rows of {len(curves)} curves agree", file=sys.stderr)
        self.assertGreater(rows, 0)


if __name__ == "__main__":
    main()
